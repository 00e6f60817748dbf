import Redlock from 'redlock';
import { Unavailable } from '../../services/core/unavailable.ts';
import type { Deps } from './strategy.ts';

export interface RedlockSettings {
  /** The lock goes by itself after so long, whoever holds it and whatever is still being done. Milliseconds. */
  life: number;
}

/**
 * Until a lock is free it is asked for again and again, 0 to 100 ms apart: there is no queue. Of 3 to 400 ms tried on a busy
 * machine none was better beyond the noise: who looks more often finds it sooner and keeps everybody busy with looking.
 * Milliseconds.
 */
const LOOK = 50;

/**
 * Runs work while holding a Redlock, for strategies that wait for their turn in Redis. With the package's defaults
 * (10 looks, 100 to 300 ms apart) most requests for a hot lock would be refused after two seconds.
 */
export function redlocked(
  { redis, namespace, metrics }: Pick<Deps, 'redis' | 'namespace' | 'metrics'>,
  { life }: RedlockSettings = { life: 10_000 },
) {
  const redlock = new Redlock([redis], {
    automaticExtensionThreshold: 0,
    retryDelay: LOOK,
    retryJitter: LOOK,
    // Of the release: one that has expired stays so, however often it is tried. How often to look is said at each acquire.
    retryCount: 0,
  });
  redlock.on('error', () => {});

  /** @throws Unavailable COMMON503 if the lock was not free before the deadline. */
  return async <T>(resource: string, deadline: number, work: () => Promise<T>): Promise<T> => {
    const asked = performance.now();
    const lock = await redlock
      .acquire([`${namespace}:lab:${resource}`], life, { retryCount: Math.ceil((deadline - Date.now()) / LOOK) })
      .catch((error: unknown) => {
        throw new Unavailable('COMMON503', `the lock on ${resource} was not free in time`, { cause: error });
      })
      .finally(() => metrics.locks.waited('redlock', performance.now() - asked));
    try {
      return await work();
    } finally {
      // The work is done, whatever became of the lock.
      await lock.release().catch(() => {});
    }
  };
}
