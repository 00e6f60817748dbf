import type { Redis } from 'ioredis';
import type { Admin } from 'kafkajs';
import type { Logger } from 'pino';
import { Op, type Sequelize } from 'sequelize';
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
 * Opens a coupon's gate from what MySQL knows. While the gate is closed nothing new is promised, so: what was promised
 * is handed to Kafka, the consumer is awaited until it has settled all of it, the users are read back from
 * user_coupons, and last of all the gate itself is written, under the run id of the Redis that took part from the start.
 * Holds the coupon's named lock, as does whoever replaces the coupon (seeding).
 * Only the gatekeeper calls this: it alone empties the stream.
 */
export async function rebuildGate(deps: RebuildDeps, couponId: string): Promise<void> {
  const { redis, instance, sequelize, models, names, signal } = deps;
  await withNamedLock(sequelize, names.gateLock(couponId), 30, async () => {
    const coupon = (await models.coupons.findByPk(couponId, { raw: true })) as unknown as CouponRow | null;
    if (!coupon) return;
    const runId = instance.id;
    if (runId === undefined) throw new Error('Redis is out of reach');
    await redis.del(names.gate(couponId));
    const [last] = await redis.xrevrange(names.stream, '+', '-', 'COUNT', 1);
    if (last) await deps.relayThrough(last[0]);
    await untilSettled(deps.admin, names, signal);
    const lost = await lostPromises(deps, couponId);
    await redis.del(names.admitted(couponId));
    if (lost.length > 0) {
      deps.metrics.lostPromises.inc(lost.length);
      deps.logger.error({ couponId, lost: lost.length, users: lost.slice(0, 20) }, 'promises were lost');
    }
    await loadAdmitted(deps, couponId);
    // A reader of `instance` that has another run id by now finds the gate closed and asks again.
    await redis.hset(names.gate(couponId), {
      instance: runId,
      generation: coupon.generation,
      limit: coupon.total_quantity,
      from: coupon.valid_from.getTime(),
      until: coupon.valid_until.getTime(),
    });
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

async function loadAdmitted({ redis, models, names }: RebuildDeps, couponId: string): Promise<void> {
  const page = 5_000;
  for (let after = ''; ; ) {
    const rows = (await models.userCoupons.findAll({
      attributes: ['user_id', 'stream_id', 'idempotency_key'],
      where: { coupon_id: couponId, user_id: { [Op.gt]: after } },
      order: ['user_id'],
      limit: page,
      raw: true,
    })) as unknown as Pick<UserCouponRow, 'user_id' | 'stream_id' | 'idempotency_key'>[];
    if (rows.length > 0) {
      await redis.hset(
        names.admitted(couponId),
        ...rows.flatMap((row) => [row.user_id, `${row.stream_id}|${row.idempotency_key ?? ''}`]),
      );
    }
    const last = rows.at(-1);
    if (!last || rows.length < page) return;
    after = last.user_id;
  }
}
