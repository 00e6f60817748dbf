import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import Redlock, { ExecutionError, Lock, ResourceLockedError } from 'redlock';
import type { LockMetrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import { PassingMap } from '../core/passing-map.ts';
import { perTurn } from '../core/per-turn.ts';

/** What asking for the lock came to; `open` means that Redis is out of reach and MySQL's row locks alone must do. */
export type Held = { state: 'held'; userId: string; lock: Lock } | { state: 'busy' } | { state: 'open' };

/** A request for a user's lock, until its answer. */
interface Asking {
  userId: string;
  resources: string[];
  resolve(held: Held): void;
}

/** Users whose locks one call takes. */
const BATCH = 64;
/** Calls that are made up for at most: more than orders run when a connection breaks. */
const OWED = 1_000;

/**
 * The lock on a user's running order. It sheds double clicks before they cost a transaction; it is not what makes orders
 * correct (a lock may have expired when it is returned, redlock #296), so losing Redis only loses the shedding.
 *
 * Requests of one turn of the event loop take their locks in one call, and orders that end in one turn give theirs back in
 * one: two calls for each order were a sixth of the API's CPU and most of Redis's (docs/performance.md). Each user's lock is
 * given back by itself, with the value that it was taken with.
 */
export class OrderLock {
  readonly #redlock: Redlock;
  readonly #redis: Redis;
  readonly #names: Names;
  readonly #ttl: number;
  readonly #metrics: LockMetrics;
  readonly #ask = perTurn<Asking>((all) => this.#takeAll(all));
  readonly #giveBack = perTurn<{ lock: Lock; sent(): void }>((all) => this.#releaseAll(all));
  /** Users whose lock this process has: who asks for one of these gets it hardly, and asks alone. */
  readonly #mine = new PassingMap<true>();
  /** With which Redlock takes the latest locks. */
  #value = '';
  /** Calls whose locks are to be given back yet, the latest: Redis was away when the orders ended, or before it answered. */
  #owed: (() => Lock)[] = [];

  /** The client's commands must time out quickly (50 ms): an order waits for up to four of them where Redis stalls. */
  constructor(redis: Redis, names: Names, ttlMs: number, metrics: LockMetrics) {
    // One try, no extension: who finds the lock taken is told so at once.
    this.#redlock = new Redlock([redis], { retryCount: 0, automaticExtensionThreshold: 0, driftFactor: 0.01 });
    this.#redlock.on('error', () => {});
    // Redlock asks the system for random bytes each time, which was 4 % of an order's CPU; a UUID comes from a supply.
    (this.#redlock as unknown as { _random(): string })._random = () => (this.#value = randomUUID());
    this.#redis = redis;
    this.#names = names;
    this.#ttl = ttlMs;
    this.#metrics = metrics;
    redis.on('ready', () => this.#releaseOwed());
  }

  /**
   * Takes the user's lock, and with it the mark of the key it runs under, for at most the lock's life.
   * @param alone it will hardly be got, as it was not before: a call that is refused for one is repeated for each in it.
   */
  async acquire(userId: string, key: string | undefined, alone = false): Promise<Held> {
    const resources = [this.#names.orderLock(userId)];
    if (key !== undefined) resources.push(this.#names.orderKeyLock(userId, key));
    if (this.#redis.status !== 'ready') return { state: 'open' };
    const asked = performance.now();
    const held = await new Promise<Held>((resolve) => {
      const asking = { userId, resources, resolve };
      if (alone || this.#mine.get(userId)) void this.#take([asking]);
      else this.#ask(asking);
    });
    this.#metrics.waited('redlock', performance.now() - asked);
    if (held.state === 'held') this.#mine.set(userId, true);
    return held;
  }

  /** Redlock does not see that a call asks for the same twice: who comes second in a turn asks behind the others. */
  #takeAll(all: Asking[]): void {
    const first = new Map<string, Asking>();
    const again: Asking[] = [];
    for (const asking of all) {
      if (first.has(asking.userId)) again.push(asking);
      else first.set(asking.userId, asking);
    }
    const together = [...first.values()];
    for (let from = 0; from < together.length; from += BATCH) void this.#take(together.slice(from, from + BATCH));
    for (const asking of again) void this.#take([asking]);
  }

  /** Takes all or none, as Redlock does; where one is taken, each asks alone. */
  async #take(asking: Asking[]): Promise<void> {
    const resources = asking.flatMap(({ resources }) => resources);
    const until = Date.now() + this.#ttl;
    const taking = this.#redlock.acquire(resources, this.#ttl);
    const taken = this.#value;
    try {
      const { value, attempts, expiration } = await taking;
      for (const { userId, resources, resolve } of asking)
        resolve({ state: 'held', userId, lock: new Lock(this.#redlock, resources, value, attempts, expiration) });
    } catch (error) {
      const state = (await wasTaken(error)) ? 'busy' : 'open';
      // It may have taken them all the same.
      if (state === 'open') this.#owe(() => new Lock(this.#redlock, resources, taken, [], until));
      if (state === 'busy' && asking.length > 1) for (const one of asking) void this.#take([one]);
      else for (const { resolve } of asking) resolve({ state });
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
    this.#mine.delete(held.userId);
    await new Promise<void>((sent) => this.#giveBack({ lock: held.lock, sent }));
  }

  #releaseAll(all: { lock: Lock; sent(): void }[]): void {
    for (const ofOneCall of Map.groupBy(all, ({ lock }) => lock.value).values()) {
      const resources = ofOneCall.flatMap(({ lock }) => lock.resources);
      const { value, attempts, expiration } = (ofOneCall[0] as { lock: Lock }).lock;
      const lock = () => new Lock(this.#redlock, resources, value, attempts, expiration);
      void this.#give(lock);
    }
    for (const { sent } of all) sent();
  }

  async #give(lock: () => Lock): Promise<void> {
    try {
      await lock().release();
    } catch (error) {
      // Locks that are somebody else's by now are owed to nobody.
      if (!(await wasTaken(error))) this.#owe(lock);
    }
  }

  #owe(lock: () => Lock): void {
    this.#owed.push(lock);
    if (this.#owed.length > OWED) this.#owed.shift();
  }

  /** Nobody is to wait for the rest of a lock's life because Redis was away for a moment. */
  #releaseOwed(): void {
    const owed = this.#owed.filter((lock) => lock().expiration > Date.now());
    this.#owed = [];
    for (const lock of owed) void this.#give(lock);
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
