import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { atLeast, findProgram, readVersion, runLogged } from './command.ts';
import { inState } from './directory.ts';
import { EngineFailure } from './failure.ts';
import { findGo } from './go.ts';
import { say } from './say.ts';

/** 1.0 runs TypeScript scenarios as they are. */
const oldestK6 = [1, 0];
const k6Module = 'go.k6.io/k6@v1.8.1';

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
  const go = await findGo('k6', 'k6 1.0 or newer (on PATH, or named by K6)');
  say(`go install ${k6Module}: there is no k6 on this machine; this takes about two minutes, once`);
  mkdirSync(dirname(built), { recursive: true });
  await runLogged('k6', go, ['install', '-trimpath', '-ldflags=-s -w', k6Module], 'k6 could not be built', {
    env: { ...process.env, GOBIN: dirname(built), GOFLAGS: '', CGO_ENABLED: '0' },
  });
  return built;
}
