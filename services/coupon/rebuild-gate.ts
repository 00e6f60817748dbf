import type { Redis } from 'ioredis';
import type { Admin } from 'kafkajs';
import type { Logger } from 'pino';
import { Op, type Sequelize } from 'sequelize';
import { crashPoint } from '../core/crash-point.ts';
import { newId } from '../core/ids.ts';
import { pause } from '../core/lifecycle.ts';
import type { Metrics } from '../core/metrics.ts';
import { withNamedLock } from '../core/named-lock.ts';
import type { Names } from '../core/names.ts';
import type { RedisInstance } from '../core/redis-instance.ts';
import type { CouponRow, Models, UserCouponRow } from '../database/models.ts';
import { lostPromises } from './lost-promises.ts';

export interface RebuildDeps {
  redis: Redis;
  instance: RedisInstance;
  admin: Admin;
  sequelize: Sequelize;
  models: Models;
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** Hands promises to Kafka until the stream holds none up to this id. */
  relayThrough(streamId: string): Promise<void>;
  signal: AbortSignal;
}

/**
 * Runs one command of a rebuild, unless another rebuild of the same gate has begun since. ARGV: rebuild, command, its
 * arguments after the key.
 */
const STEP = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))
return 1
`;

/** Longer than any rebuild takes. Seconds. */
const REBUILD_LIFE = 600;
/** Users read back at once. Lua unpacks no more than about 8,000 arguments. */
const PAGE = 2_500;

/**
 * Opens a coupon's gate from what MySQL knows. While the gate is closed nothing new is promised, so: what was promised
 * is handed to Kafka, the consumer is awaited until it has settled all of it, the users are read back from
 * user_coupons, and last of all the gate itself is written, under the run id of the Redis that took part from the start.
 * Holds the coupon's named lock, as does whoever replaces the coupon (seeding). A process that stood still until the
 * lock was another's cannot know: so each write in Redis is made only while this rebuild is the last that was begun.
 * Only the gatekeeper calls this: it alone empties the stream.
 */
export async function rebuildGate(deps: RebuildDeps, couponId: string): Promise<void> {
  const { redis, instance, sequelize, models, names, signal } = deps;
  await withNamedLock(sequelize, names.gateLock(couponId), 30, async () => {
    const runId = instance.id;
    if (runId === undefined) throw new Error('Redis is out of reach');
    const rebuild = newId('rebuild');
    const step = async (key: string, command: string, ...args: (string | number)[]) => {
      const taken = await redis.eval(STEP, 2, names.rebuilding(couponId), key, rebuild, command, ...args);
      if (taken !== 1) throw new Error(`another process has begun to rebuild the gate of ${couponId}`);
    };
    // Before anything is read: what is written in the end is then what MySQL said after every other rebuild had begun.
    await redis.set(names.rebuilding(couponId), rebuild, 'EX', REBUILD_LIFE);
    const coupon = (await models.coupons.findByPk(couponId, { raw: true })) as unknown as CouponRow | null;
    if (!coupon) return;
    await step(names.gate(couponId), 'DEL');
    crashPoint('rebuild:closed');
    const [last] = await redis.xrevrange(names.stream, '+', '-', 'COUNT', 1);
    if (last) await deps.relayThrough(last[0]);
    await untilSettled(deps.admin, names, signal);
    const lost = await lostPromises(deps, couponId);
    await step(names.admitted(couponId), 'DEL');
    if (lost.length > 0) {
      deps.metrics.lostPromises.inc(lost.length);
      deps.logger.error({ couponId, lost: lost.length, users: lost.slice(0, 20) }, 'promises were lost');
    }
    crashPoint('rebuild:emptied');
    for await (const users of holders(models, couponId)) await step(names.admitted(couponId), 'HSET', ...users);
    crashPoint('rebuild:loaded');
    // A reader of `instance` that has another run id by now finds the gate closed and asks again.
    const gate = {
      instance: runId,
      generation: coupon.generation,
      limit: coupon.total_quantity,
      from: coupon.valid_from.getTime(),
      until: coupon.valid_until.getTime(),
    };
    await step(names.gate(couponId), 'HSET', ...Object.entries(gate).flat());
  });
}

/** Waits until the consumer group has committed everything that lies in the topic now. */
async function untilSettled(admin: Admin, names: Names, signal: AbortSignal): Promise<void> {
  const ends = await admin.fetchTopicOffsets(names.couponTopic);
  const until = Date.now() + 60_000;
  for (;;) {
    const [group] = await admin.fetchOffsets({ groupId: names.consumerGroup, topics: [names.couponTopic] });
    const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    if (
      ends.every(
        ({ partition, high, low }) => Number(high) === Number(low) || (committed.get(partition) ?? -1) >= Number(high),
      )
    )
      return;
    if (Date.now() > until)
      throw new Error('the coupon consumer did not settle the promises within 60 s; is it running?');
    if (signal.aborted) throw new Error('stopped while waiting for the coupon consumer');
    await pause(50, signal);
  }
}

/** Those who have the coupon, as fields and values of the users' hash, a page at a time. */
async function* holders(models: Models, couponId: string): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const rows = (await models.userCoupons.findAll({
      attributes: ['user_id', 'stream_id', 'idempotency_key'],
      where: { coupon_id: couponId, user_id: { [Op.gt]: after } },
      order: ['user_id'],
      limit: PAGE,
      raw: true,
    })) as unknown as Pick<UserCouponRow, 'user_id' | 'stream_id' | 'idempotency_key'>[];
    const last = rows.at(-1);
    if (!last) return;
    yield rows.flatMap((row) => [row.user_id, `${row.stream_id}|${row.idempotency_key ?? ''}`]);
    if (rows.length < PAGE) return;
    after = last.user_id;
  }
}
