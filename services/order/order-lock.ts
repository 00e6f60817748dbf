import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import Redlock, { ExecutionError, type Lock, ResourceLockedError } from 'redlock';
import type { LockMetrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';

/** What asking for the lock came to; `open` means that Redis is out of reach and MySQL's row locks alone must do. */
export type Held = { state: 'held'; lock: Lock } | { state: 'busy' } | { state: 'open' };

/**
 * The lock on a user's running order. It sheds double clicks before they cost a transaction; it is not what makes orders
 * correct (a lock may have expired when it is returned, redlock #296), so losing Redis only loses the shedding.
 */
export class OrderLock {
  readonly #redlock: Redlock;
  readonly #redis: Redis;
  readonly #names: Names;
  readonly #ttl: number;
  readonly #metrics: LockMetrics;

  /** The client's commands must time out quickly (50 ms), because an order waits no longer for Redis than that. */
  constructor(redis: Redis, names: Names, ttlMs: number, metrics: LockMetrics) {
    // One try, no extension: who finds the lock taken is told so at once.
    this.#redlock = new Redlock([redis], { retryCount: 0, automaticExtensionThreshold: 0, driftFactor: 0.01 });
    this.#redlock.on('error', () => {});
    // Redlock asks the system for random bytes each time, which was 4 % of an order's CPU; a UUID comes from a supply.
    (this.#redlock as unknown as { _random(): string })._random = randomUUID;
    this.#redis = redis;
    this.#names = names;
    this.#ttl = ttlMs;
    this.#metrics = metrics;
  }

  /** Takes the user's lock, and with it the mark of the key it runs under, for at most the lock's life. */
  async acquire(userId: string, key: string | undefined): Promise<Held> {
    const resources = [this.#names.orderLock(userId)];
    if (key !== undefined) resources.push(this.#names.orderKeyLock(userId, key));
    if (this.#redis.status !== 'ready') return { state: 'open' };
    const asked = performance.now();
    try {
      return { state: 'held', lock: await this.#redlock.acquire(resources, this.#ttl) };
    } catch (error) {
      return { state: (await wasTaken(error)) ? 'busy' : 'open' };
    } finally {
      this.#metrics.waited('redlock', performance.now() - asked);
    }
  }

  /** True while an order of this user runs under the same key, in whichever process. */
  async runsUnder(userId: string, key: string): Promise<boolean> {
    return (await this.#redis.exists(this.#names.orderKeyLock(userId, key)).catch(() => 0)) === 1;
  }

  /**
   * Resolves when the release has been sent, so that the user's next order, sent after this one's answer, comes to Redis behind it
   * on whichever process. Until Redis has written it down takes as long as a commit, and nobody needs to know. Never fails: after
   * the commit an error here concerns nobody, the lock expires by itself.
   */
  async release(held: Held): Promise<void> {
    if (held.state !== 'held') return;
    held.lock.release().catch(() => {});
    // What was asked for in this turn is written at its end, before this goes on.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Whether Redis answered that somebody else has the lock, as opposed to not answering. */
async function wasTaken(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  for (const attempt of error.attempts) {
    const { votesAgainst } = await attempt;
    for (const vote of votesAgainst.values()) if (vote instanceof ResourceLockedError) return true;
  }
  return false;
}
