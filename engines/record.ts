import { mkdirSync, rmSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { defaultDirectory, inState } from './directory.ts';
import { type EngineName, endpointVariables, engineNames, type Places } from './engines.ts';
import { readIfThere, writePrivate } from './files.ts';

const recordPath = () => inState('engines.json');
const environmentPath = () => inState('engines.env');

/** What the last `up` decided: the kind and endpoint of each engine; none before the first `up` and after a `down`. */
export function readRecord(): Places | undefined {
  const kept = readIfThere(recordPath());
  return kept ? (JSON.parse(kept) as Places) : undefined;
}

/** Written before the engines start, so that an interrupted `up` is taken up again by the next one. */
export function writeRecord(places: Places): void {
  mkdirSync(inState('run'), { recursive: true, mode: 0o700 });
  writePrivate(recordPath(), `${JSON.stringify(places, null, 2)}\n`);
}

/** Written after the engines answer: a program that finds this file may use what it names. */
export function writeEnvironment(places: Places): void {
  const lines = engineNames.map((name) => `${endpointVariables[name]}=${places[name].endpoint}`);
  writePrivate(environmentPath(), `${lines.join('\n')}\n`);
}

export function forgetRecord(): void {
  rmSync(recordPath(), { force: true });
  rmSync(environmentPath(), { force: true });
}

/**
 * The endpoint the user set, if any. run.mjs loads the default directory's engines.env into every program's
 * environment, so a value that equals the one an `up` wrote is that one and not the user's.
 */
export function endpointSetByUser(name: EngineName): string | undefined {
  const variable = endpointVariables[name];
  const value = process.env[variable];
  if (!value) return undefined;
  const written = [environmentPath(), `${defaultDirectory}/engines.env`].map((path) => {
    const content = readIfThere(path);
    return content === undefined ? undefined : parseEnv(content)[variable];
  });
  return written.includes(value) ? undefined : value;
}
