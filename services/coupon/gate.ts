import type { Redis } from 'ioredis';
import type { Names } from '../core/names.ts';
import type { RedisInstance } from '../core/redis-instance.ts';
import type { RequestTrace } from '../core/tracing/request-trace.ts';
import { childOf, traceparent } from '../core/tracing/trace-context.ts';
import { Unavailable } from '../core/unavailable.ts';

/** What the gate said of one request, and how many users hold a promise. */
export type Admission =
  | { result: 'admitted' | 'replayed'; promised: number }
  | { result: 'already' | 'outside_period' | 'sold_out' | 'not_loaded' };

/** By the script's code. */
const RESULTS = ['not_loaded', 'admitted', 'replayed', 'already', 'outside_period', 'sold_out'] as const;

/**
 * Decides on one request in Redis, atomically: 86k admissions a second, 41.7k with appendfsync always.
 * A gate of another Redis run (restart, failover, FLUSHALL) is closed, never sold out, until the gatekeeper has rebuilt
 * it. The users' hash is the only count there is, so a counter and a set cannot disagree. The period is judged by
 * Redis's clock, the same for all processes.
 */
const ADMIT = `
local gate = redis.call('HMGET', KEYS[1], 'instance', 'generation', 'limit', 'from', 'until')
if gate[1] ~= ARGV[1] then return {0, 0} end
local known = redis.call('HGET', KEYS[2], ARGV[3])
if known then
  local bar = string.find(known, '|', 1, true)
  if ARGV[4] ~= '' and string.sub(known, bar + 1) == ARGV[4] then return {2, redis.call('HLEN', KEYS[2])} end
  return {3, 0}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now < tonumber(gate[4]) or now >= tonumber(gate[5]) then return {4, 0} end
local promised = redis.call('HLEN', KEYS[2])
if promised >= tonumber(gate[3]) then return {5, 0} end
local streamId = redis.call('XADD', KEYS[3], '*',
  'coupon', ARGV[2], 'user', ARGV[3], 'key', ARGV[4], 'generation', gate[2], 'at', string.format('%.0f', now),
  unpack(ARGV, 5))
redis.call('HSET', KEYS[2], ARGV[3], streamId .. '|' .. ARGV[4])
if ARGV[5] then return {1, promised + 1, streamId} end
return {1, promised + 1}
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
  admit(...args: string[]): Promise<[number, number, string?]>;
  withdraw(...args: string[]): Promise<number>;
};

export class Gate {
  readonly #redis: Scripted;
  readonly #names: Names;
  readonly #instance: RedisInstance;

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
    const instance = this.#instance.id;
    if (instance === undefined) throw new Unavailable('COMMON503', 'the coupon gate is out of reach');
    const names = this.#names;
    const asked = performance.now();
    const span = trace?.recorded && childOf(trace.recorded);
    try {
      const [code, promised, streamId] = await this.#redis.admit(
        names.gate(couponId),
        names.admitted(couponId),
        names.stream,
        instance,
        couponId,
        userId,
        key,
        ...(span ? ['trace', traceparent(span)] : []),
      );
      trace?.note(
        'gate',
        asked,
        { 'onrush.admission': RESULTS[code] as string, ...(streamId ? { 'onrush.stream_id': streamId } : {}) },
        span,
      );
      return { result: RESULTS[code], promised } as Admission;
    } catch (error) {
      trace?.note('gate', asked, { 'onrush.admission': 'failed' }, span);
      const neverSent = /enableOfflineQueue/.test(String((error as Error).message));
      throw new Unavailable(neverSent ? 'COMMON503' : 'COMMON504', neverSent ? 'the coupon gate is out of reach' : '', {
        cause: error,
      });
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
