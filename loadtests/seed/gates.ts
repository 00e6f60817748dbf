import type { Redis } from 'ioredis';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Names } from '../../services/core/names.ts';
import { COUPON_ID } from './rows.ts';

/**
 * Holds the gate locks of all coupons while `work` replaces them, so that no gatekeeper rebuilds a gate from rows that
 * are about to go. The locks belong to the connection and go away with it.
 */
export async function withGatesHeld<T>(connection: Connection, names: Names, work: () => Promise<T>): Promise<T> {
  const [coupons] = await connection.query<RowDataPacket[]>('SELECT id FROM coupons');
  const ids = [...new Set([COUPON_ID, ...coupons.map((coupon) => coupon.id as string)])].sort();
  try {
    for (const id of ids) {
      const [rows] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, 60) AS locked', [names.gateLock(id)]);
      if (Number(rows[0]?.locked) !== 1) throw new Error(`the gate of ${id} was being rebuilt for more than 60 s`);
    }
    return await work();
  } finally {
    await connection.query('SELECT RELEASE_ALL_LOCKS()').catch(() => undefined);
  }
}

/**
 * Closes every gate and forgets who was admitted and what the stream still held: all of it belongs to generations that
 * are gone. So do rebuilds that were under way: one that has slept through this must not go on. XTRIM and not DEL, so that the stream's ids go on growing.
 */
export async function closeGates(redis: Redis, names: Names): Promise<void> {
  const of = [names.gate('*'), names.admitted('*'), names.rebuilding('*')];
  const keys = (await Promise.all(of.map((pattern) => keysLike(redis, pattern)))).flat();
  if (keys.length > 0) await redis.unlink(...keys);
  await redis.xtrim(names.stream, 'MAXLEN', 0);
}

/** Asks a running gatekeeper for the new coupon's gate. */
export async function askForGate(redis: Redis, names: Names): Promise<void> {
  await redis.del(names.rebuildRequests);
  await redis.sadd(names.rebuildRequests, COUPON_ID);
}

/** Every key that matches; SCAN, because KEYS would hold up all clients of a shared Redis. */
export async function keysLike(redis: Redis, pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const batch of redis.scanStream({ match: pattern, count: 1_000 })) {
    for (const key of batch as string[]) found.add(key);
  }
  return [...found];
}
