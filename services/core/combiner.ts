import type { Operation } from './metrics.ts';
import type { RequestTrace } from './tracing/request-trace.ts';
import { TransactionRecord } from './transaction-record.ts';
import { Unavailable } from './unavailable.ts';

export interface CombinerOptions<Request, Result> {
  operation: Operation;
  /** Transactions in flight at most. */
  lanes: number;
  maxBatch: number;
  /** Requests that may wait; one more is refused before any work. */
  maxQueue: number;
  /**
   * A request that would wait longer for its turn, by the batches before it and what one takes, is refused before any
   * work; so is one that has waited longer although it was to be quicker, while there are many behind it. Milliseconds;
   * never if not given. What is served is then answered in time however much arrives.
   */
  maxWaitMs?: number;
  /** What a request locks: those of one key are served in order, and never in two transactions at once. */
  laneKey(request: Request): string;
  /** At most one request of a lane key goes into one batch; the next one waits for the next batch. */
  onePerKey?: boolean;
  /** Serves all requests of a batch, in order of arrival; `deadline` is the latest of theirs. */
  run(batch: Request[], deadline: number, record: TransactionRecord): Promise<Result[]>;
  /** Says whether a failure concerns every request alike (an engine is away), so that trying them singly is no use. */
  isShared(error: unknown): boolean;
  onBatch?(size: number): void;
  onQueue?(waiting: number): void;
  onWait?(milliseconds: number): void;
}

interface Waiting<Request, Result> {
  request: Request;
  deadline: number;
  since: number;
  trace: RequestTrace | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** How much the latest batch counts in the average, and how far one that stalled can move it: a pause is no trend. */
const LATEST = 0.2;
const outlier = (average: number): number => 4 * average + 10;

/** So many that wait are worth another transaction beside the running one. */
const BESIDE = 64;
/** Who waits for so many average batches, at least so long and at most half of maxWaitMs, waits for one that hangs. Milliseconds. */
const HANGING = { batches: 3, least: 20 };

/**
 * Group commit for requests: those that arrive while a transaction is in flight form the next one, so one lock, one set of
 * statements and one commit serve many. Without contention a request starts at once. Where a transaction per request gave
 * 2.1–2.5k charges a second on one hot row, batches of 32 gave 21.6k.
 *
 * Another transaction starts beside a running one only for many, or where the running one hangs: two that share the requests
 * between them cost the engine a fifth more than one, and make those on the same two cores wait longer (docs/performance.md).
 */
export class Combiner<Request, Result> {
  readonly #options: CombinerOptions<Request, Result>;
  #queue: Waiting<Request, Result>[] = [];
  /** Keys of the requests in flight, by transaction. */
  #flying: Set<string>[] = [];
  /** How many of those that wait another transaction could serve, as nobody in flight has their keys; since when the first waits. */
  #free = 0;
  #freeSince = Number.POSITIVE_INFINITY;
  #running = 0;
  /** What a batch takes, on average over the last few. */
  #batchMs = 0;
  #look: NodeJS.Timeout | undefined;

  constructor(options: CombinerOptions<Request, Result>) {
    this.#options = options;
  }

  /** @throws Unavailable COMMON503 if the request would be refused now: for callers that have work to do before they submit it. */
  assertRoom(request: Request): void {
    const refusal = this.#refusal(request);
    if (refusal) throw refusal;
  }

  /** @throws Unavailable COMMON503 if too many wait, or the deadline passes before the request's turn: nothing was done. */
  submit(request: Request, deadline: number, trace?: RequestTrace): Promise<Result> {
    const refusal = this.#refusal(request);
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const since = performance.now();
      trace?.queued(since);
      const waiting = { request, deadline, since, trace, resolve, reject };
      this.#queue.push(waiting);
      if (!this.#isFlying(this.#options.laneKey(request))) this.#countFree(waiting);
      this.#told();
      this.#begin();
    });
  }

  /** One user's backlog is in nobody else's way: only those with keys in flight have all the others before them. */
  #refusal(request: Request): Unavailable | undefined {
    const { maxQueue, maxWaitMs = Number.POSITIVE_INFINITY, laneKey } = this.#options;
    const waiting = this.#isFlying(laneKey(request)) ? this.#queue.length : this.#free;
    return waiting >= maxQueue || this.#waitBehind(waiting) > maxWaitMs ? tooMany() : undefined;
  }

  /** Milliseconds until so many have been served, should only one transaction at a time serve them. */
  #waitBehind(waiting: number): number {
    return Math.floor(waiting / this.#options.maxBatch) * this.#batchMs;
  }

  #isFlying(key: string): boolean {
    return this.#flying.some((keys) => keys.has(key));
  }

  #countFree({ since }: Waiting<Request, Result>): void {
    this.#free++;
    this.#freeSince = Math.min(this.#freeSince, since);
  }

  /** After keys have gone into flight or come from it. */
  #recount(): void {
    this.#free = 0;
    this.#freeSince = Number.POSITIVE_INFINITY;
    for (const waiting of this.#queue)
      if (!this.#isFlying(this.#options.laneKey(waiting.request))) this.#countFree(waiting);
  }

  #begin(): void {
    if (this.#running < this.#options.lanes && this.#worth(this.#running)) void this.#drain();
    this.#watch();
  }

  /** Looks again when the first that could be served will have waited as long as for one that hangs. */
  #watch(): void {
    if (this.#running === this.#options.lanes || this.#queue.length === 0) return;
    const waited = this.#free > 0 ? performance.now() - this.#freeSince : 0;
    this.#look ??= setTimeout(
      () => {
        this.#look = undefined;
        this.#begin();
      },
      Math.max(1, Math.ceil(this.#patience() - waited)),
    ).unref();
  }

  #patience(): number {
    const { maxWaitMs = Number.POSITIVE_INFINITY } = this.#options;
    return Math.max(HANGING.least, Math.min(HANGING.batches * this.#batchMs, maxWaitMs / 2));
  }

  /** Whether a transaction is to begin beside so many others. */
  #worth(others: number): boolean {
    if (others === 0) return this.#queue.length > 0;
    return this.#free >= BESIDE || performance.now() - this.#freeSince >= this.#patience();
  }

  async #drain(): Promise<void> {
    this.#running++;
    // Requests that were read from their sockets in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    do {
      const { batch, keys } = this.#take();
      if (batch.length === 0) break;
      const began = performance.now();
      await this.#serve(batch).catch((error: unknown) => {
        for (const waiting of batch) waiting.reject(error);
      });
      this.#batchMs += LATEST * (Math.min(performance.now() - began, outlier(this.#batchMs)) - this.#batchMs);
      this.#flying = this.#flying.filter((others) => others !== keys);
      this.#recount();
    } while (this.#worth(this.#running - 1));
    this.#running--;
    this.#begin();
  }

  /** Those that go into the next transaction, and their keys, in flight from now on. */
  #take(): { batch: Waiting<Request, Result>[]; keys: Set<string> } {
    const { maxBatch, maxWaitMs = Number.POSITIVE_INFINITY, onePerKey, laneKey, onWait } = this.#options;
    const now = Date.now();
    const started = performance.now();
    const batch: Waiting<Request, Result>[] = [];
    const later: Waiting<Request, Result>[] = [];
    const keys = new Set<string>();
    let seen = 0;
    for (const waiting of this.#queue) {
      if (batch.length === maxBatch) break;
      seen++;
      // After a pause few wait, and are served late rather than not at all.
      const crowded =
        started - waiting.since > maxWaitMs && this.#waitBehind(this.#queue.length - seen) > maxWaitMs / 2;
      if (waiting.deadline <= now || crowded) {
        waiting.trace?.dequeued();
        waiting.reject(crowded ? tooMany() : tooLate());
        continue;
      }
      const key = laneKey(waiting.request);
      if (this.#isFlying(key) || (onePerKey && keys.has(key))) {
        later.push(waiting);
        continue;
      }
      keys.add(key);
      batch.push(waiting);
      waiting.trace?.dequeued();
      onWait?.(started - waiting.since);
    }
    this.#queue = [...later, ...this.#queue.slice(seen)];
    if (batch.length > 0) this.#flying.push(keys);
    this.#recount();
    this.#told();
    return { batch, keys };
  }

  async #serve(batch: Waiting<Request, Result>[]): Promise<void> {
    this.#options.onBatch?.(batch.length);
    const record = this.#recordFor(batch);
    try {
      const results = await this.#options.run(
        batch.map(({ request }) => request),
        Math.max(...batch.map(({ deadline }) => deadline)),
        record,
      );
      record.end();
      // Behind what the next transaction sends: the engine works on that while the answers are written.
      setImmediate(() => {
        batch.forEach((waiting, at) => {
          waiting.resolve(results[at] as Result);
        });
      });
    } catch (error) {
      record.end();
      if (batch.length === 1 || this.#options.isShared(error)) {
        for (const waiting of batch) waiting.reject(error);
        return;
      }
      // One request's fault must not fail the others: each on its own.
      for (const waiting of batch) {
        if (waiting.deadline <= Date.now()) {
          waiting.reject(tooLate());
          continue;
        }
        const own = this.#recordFor([waiting]);
        await this.#options
          .run([waiting.request], waiting.deadline, own)
          .finally(() => own.end())
          .then(
            (results) => waiting.resolve(results[0] as Result),
            (failure) => waiting.reject(failure),
          );
      }
    }
  }

  #recordFor(batch: Waiting<Request, Result>[]): TransactionRecord {
    const record = new TransactionRecord(this.#options.operation, batch.length);
    for (const { trace } of batch) trace?.transactions.push(record);
    return record;
  }

  #told(): void {
    this.#options.onQueue?.(this.#queue.length);
  }
}

const tooMany = () => new Unavailable('COMMON503', 'too many requests are waiting');
const tooLate = () => new Unavailable('COMMON503', 'waited too long for its turn');
