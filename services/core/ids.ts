import { randomBytes } from 'node:crypto';

let pool = randomBytes(4096);
let used = 0;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    pool = randomBytes(4096);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

/**
 * A new id, `prefix-` and 32 hexadecimal digits: 48 bits of milliseconds, then 80 random ones. Ids of one prefix sort by
 * time, so that inserts go to the end of the clustered index.
 */
export const newId = (prefix: string): string =>
  `${prefix}-${Date.now().toString(16).padStart(12, '0')}${randomHex(10)}`;

/** A trace id as W3C Trace Context wants it: 32 hexadecimal digits. */
export const newTraceId = (): string => randomHex(16);

/** A span id: 16 hexadecimal digits. */
export const newSpanId = (): string => randomHex(8);
