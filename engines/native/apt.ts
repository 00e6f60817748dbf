import { ask, atLeast, findProgram, runLogged, versionIn } from '../command.ts';
import { EngineFailure } from '../failure.ts';
import { say } from '../say.ts';

let listsUpdated = false;

/** What to put before a command that needs root; undefined if we cannot become root. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  return sudo && (process.stdin.isTTY || (await ask(sudo, ['-n', 'true'])).ok) ? [sudo] : undefined;
}

/** Runs a command as root, where we can, with its output in apt's log. */
async function asRoot(command: string[], failed: string): Promise<void> {
  const [program = '', ...args] = [...((await rootPrefix()) ?? []), ...command];
  await runLogged('apt', program, args, failed);
}

async function updateLists(): Promise<void> {
  if (listsUpdated || !(await rootPrefix())) return;
  listsUpdated = true;
  // One unreachable third-party source fails an update whose other sources did arrive: the install decides.
  await asRoot(['apt-get', 'update', '-qq'], 'apt-get update failed').catch(() => {});
}

/**
 * Installs Debian packages, saying which and why. Only packages that start no system service are asked for, and
 * none is ever removed: MariaDB's would replace an installed MySQL.
 */
export async function aptInstall(packages: string[], why: string): Promise<void> {
  const names = packages.join(' ');
  const missing = `missing: ${names} (${why})`;
  if (!findProgram('apt-get')) throw new EngineFailure(`${missing}; this machine has no apt: install it by hand`);
  if (!(await rootPrefix())) {
    throw new EngineFailure(`${missing}; not root, and sudo does not let us: have root run apt-get install ${names}`);
  }
  await updateLists();
  say(`apt install ${names}: ${why}`);
  // Slim images leave out the manual pages' directory, without which Java's packages fail to configure.
  await asRoot(['mkdir', '-p', '/usr/share/man/man1'], `apt could not install ${names}`);
  const options = ['-y', '-qq', '--no-install-recommends', '--no-remove'];
  await asRoot(
    ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', ...options, ...packages],
    `apt could not install ${names} (${why})`,
  );
}

/** The first of these packages that apt can install in at least the wanted version. */
export async function aptCandidate(wanted: { name: string; version: number[] }[]): Promise<string | undefined> {
  if (!findProgram('apt-cache')) return undefined;
  const candidate = async () => {
    for (const { name, version } of wanted) {
      const { output } = await ask('apt-cache', ['policy', name]);
      const offered = /Candidate: (?:\d+:)?(\S+)/.exec(output)?.[1] ?? '';
      if (atLeast(versionIn(offered), version)) return name;
    }
    return undefined;
  };
  // A fresh machine or image has no package lists at all.
  return (await candidate()) ?? (await updateLists().then(candidate));
}
