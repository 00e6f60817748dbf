import type { Redis } from 'ioredis';
import type { Names } from '../core/names.ts';
import { perTurn } from '../core/per-turn.ts';
import type { RedisInstance } from '../core/redis-instance.ts';
import type { RequestTrace } from '../core/tracing/request-trace.ts';
import { childOf, type TraceContext, traceparent } from '../core/tracing/trace-context.ts';
import { Unavailable } from '../core/unavailable.ts';

/** What the gate said of one request, and how many users hold a promise. */
export type Admission =
  | { result: 'admitted' | 'replayed'; promised: number }
  | { result: 'already' | 'outside_period' | 'sold_out' | 'not_loaded' };

const OUT_OF_REACH = (cause?: unknown): Unavailable =>
  new Unavailable('COMMON503', 'the coupon gate is out of reach', { cause });

/** By the script's code. */
const RESULTS = ['not_loaded', 'admitted', 'replayed', 'already', 'outside_period', 'sold_out'] as const;

/**
 * Decides on requests for one coupon in Redis, atomically and in order; each is three arguments: user, key, trace context or ''.
 * Returns a code and the number of promises for each, behind them the stream id where the trace wants it; nothing at all where
 * the gate is not loaded. A gate of another Redis run (restart, failover, FLUSHALL) is closed, never sold out, until the
 * gatekeeper has rebuilt it. The users' hash is the only count there is, so a counter and a set cannot disagree. The period is
 * judged by Redis's clock, the same for all processes.
 */
const ADMIT = `
local gate = redis.call('HMGET', KEYS[1], 'instance', 'generation', 'limit', 'from', 'until')
if gate[1] ~= ARGV[1] then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local acceptedAt = string.format('%.0f', now)
local open = now >= tonumber(gate[4]) and now < tonumber(gate[5])
local limit = tonumber(gate[3])
local promised = redis.call('HLEN', KEYS[2])
local answers = {}
local function answer(code)
  answers[#answers + 1] = code
  answers[#answers + 1] = promised
end
for at = 3, #ARGV, 3 do
  local user, key, trace = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local known = redis.call('HGET', KEYS[2], user)
  if known then
    local bar = string.find(known, '|', 1, true)
    local replayed = key ~= '' and string.sub(known, bar + 1) == key
    answer(replayed and 2 or 3)
  elseif not open then
    answer(4)
  elseif promised >= limit then
    answer(5)
  else
    local entry = {'coupon', ARGV[2], 'user', user, 'key', key, 'generation', gate[2], 'at', acceptedAt}
    if trace ~= '' then
      entry[11] = 'trace'
      entry[12] = trace
    end
    local streamId = redis.call('XADD', KEYS[3], '*', unpack(entry))
    redis.call('HSET', KEYS[2], user, streamId .. '|' .. key)
    promised = promised + 1
    answer(1)
    if trace ~= '' then answers[#answers + 1] = streamId end
  end
end
return answers
`;

/** Takes back promises that the consumer rejected, if the user's entry still is that very promise. */
const WITHDRAW = `
local taken = 0
for i = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if known and string.sub(known, 1, #ARGV[i + 1] + 1) == ARGV[i + 1] .. '|' then
    taken = taken + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return taken
`;

type Scripted = Redis & {
  admit(...args: string[]): Promise<(number | string)[]>;
  withdraw(...args: string[]): Promise<number>;
};

/** A request until its answer. */
interface Asking {
  couponId: string;
  userId: string;
  key: string;
  /** Of the gate's span, which the promise's spans follow; absent where the request is not recorded. */
  span: TraceContext | undefined;
  resolve(decision: Decision): void;
  reject(error: Unavailable): void;
}

/** An admission with the promise's stream id, where a span tells it. */
type Decision = Admission & { streamId?: string };

/** Requests that one call of the script decides: 2 ms of Redis's time at most. */
const BATCH = 128;

/**
 * Asks for admission. Requests of one turn of the event loop go together: the gate is read once for all, and a call, its
 * argument list and its answer cost more than what they decide (CPU of an accepted coupon: docs/performance.md).
 */
export class Gate {
  readonly #redis: Scripted;
  readonly #names: Names;
  readonly #instance: RedisInstance;
  readonly #ask = perTurn<Asking>((all) => this.#decideAll(all));

  /** The client must neither queue while offline nor resend (openRedis). */
  constructor(redis: Redis, names: Names, instance: RedisInstance) {
    redis.defineCommand('admit', { numberOfKeys: 3, lua: ADMIT });
    redis.defineCommand('withdraw', { numberOfKeys: 1, lua: WITHDRAW });
    this.#redis = redis as Scripted;
    this.#names = names;
    this.#instance = instance;
  }

  /** @throws Unavailable COMMON503 if Redis is away, COMMON504 if it went away while it was asked. */
  async admit(couponId: string, userId: string, key: string, trace?: RequestTrace): Promise<Admission> {
    const asked = performance.now();
    const span = trace?.recorded && childOf(trace.recorded);
    try {
      const decision = await new Promise<Decision>((resolve, reject) => {
        this.#ask({ couponId, userId, key, span, resolve, reject });
      });
      const { result, streamId } = decision;
      trace?.note(
        'gate',
        asked,
        { 'onrush.admission': result, ...(streamId && { 'onrush.stream_id': streamId }) },
        span,
      );
      return decision;
    } catch (error) {
      trace?.note('gate', asked, { 'onrush.admission': 'failed' }, span);
      throw error;
    }
  }

  #decideAll(all: Asking[]): void {
    for (const [couponId, asking] of Map.groupBy(all, ({ couponId }) => couponId))
      for (let from = 0; from < asking.length; from += BATCH)
        void this.#decide(couponId, asking.slice(from, from + BATCH));
  }

  async #decide(couponId: string, asking: Asking[]): Promise<void> {
    const names = this.#names;
    try {
      const instance = this.#instance.id;
      if (instance === undefined) throw OUT_OF_REACH();
      const args = [names.gate(couponId), names.admitted(couponId), names.stream, instance, couponId];
      for (const { userId, key, span } of asking) args.push(userId, key, span ? traceparent(span) : '');
      const answers = await this.#redis.admit(...args);
      let at = 0;
      for (const { span, resolve } of asking) {
        const result = RESULTS[(answers[at++] ?? 0) as number];
        const decision = { result, promised: answers[at++] } as Decision;
        if (span && result === 'admitted') decision.streamId = answers[at++] as string;
        resolve(decision);
      }
    } catch (error) {
      const neverSent = /enableOfflineQueue/.test(String((error as Error).message));
      const unavailable =
        error instanceof Unavailable
          ? error
          : neverSent
            ? OUT_OF_REACH(error)
            : new Unavailable('COMMON504', '', { cause: error });
      for (const { reject } of asking) reject(unavailable);
    }
  }

  /** Returns how many promises were withdrawn. */
  async withdraw(couponId: string, promises: { userId: string; streamId: string }[]): Promise<number> {
    return this.#redis.withdraw(
      this.#names.admitted(couponId),
      ...promises.flatMap(({ userId, streamId }) => [userId, streamId]),
    );
  }
}
