import { ask, atLeast, findProgram, runLogged, versionIn } from '../command.ts';
import { EngineFailure } from '../failure.ts';
import { say } from '../say.ts';

let listsUpdated = false;

async function asRoot(): Promise<string[]> {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  if (sudo && (process.stdin.isTTY || (await ask(sudo, ['-n', 'true'])).ok)) return [sudo];
  throw new EngineFailure('not root, and sudo does not let us');
}

async function apt(args: string[], failed: string): Promise<void> {
  const [command = '', ...rest] = [...(await asRoot()), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
  await runLogged('apt', command, rest, failed);
}

async function updateLists(): Promise<void> {
  if (listsUpdated) return;
  listsUpdated = true;
  // One unreachable third-party source fails an update whose other sources did arrive: the install decides.
  await apt(['update', '-qq'], 'apt-get update failed').catch((error) => {
    if (!(error instanceof EngineFailure && error.log)) throw error;
  });
}

/**
 * Installs Debian packages, saying which and why. Only packages that start no system service are asked for, and
 * none is ever removed: MariaDB's would replace an installed MySQL.
 */
export async function aptInstall(packages: string[], why: string): Promise<void> {
  const names = packages.join(' ');
  const byHand = `${why}: install ${names} (or a package like it) and try again`;
  if (!findProgram('apt-get')) throw new EngineFailure(`${byHand}; this machine has no apt`);
  try {
    await updateLists();
    say(`apt install ${names}: ${why}`);
    await apt(
      ['install', '-y', '-qq', '--no-install-recommends', '--no-remove', ...packages],
      `apt could not install ${names} (${why})`,
    );
  } catch (error) {
    if (error instanceof EngineFailure && !error.log) throw new EngineFailure(`${byHand}; ${error.message}`);
    throw error;
  }
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
  return (await candidate()) ?? (await updateLists().then(candidate, () => undefined));
}
