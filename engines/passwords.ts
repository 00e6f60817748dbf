import { randomBytes } from 'node:crypto';
import { inState } from './directory.ts';
import { readIfThere, writePrivate } from './files.ts';

export interface Passwords {
  mysql: string;
  mysqlRoot: string;
  redis: string;
}

const random = () => randomBytes(18).toString('base64url').replace(/^-/, 'x');

/** Made once for each checkout; kept until `down --wipe`, since data made with them outlives a `down`. */
export function passwords(): Passwords {
  const path = inState('passwords.json');
  const kept = readIfThere(path);
  if (kept) return JSON.parse(kept);
  const made: Passwords = { mysql: random(), mysqlRoot: random(), redis: random() };
  writePrivate(path, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}
