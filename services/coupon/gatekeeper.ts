import type { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import mysql, { type Connection } from 'mysql2/promise';
import type { Logger } from 'pino';
import type { Sequelize } from 'sequelize';
import type { Config } from '../core/config.ts';
import { pause, type Running, runLoop } from '../core/lifecycle.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import type { RedisInstance } from '../core/redis-instance.ts';
import type { Tracer } from '../core/tracing/tracer.ts';
import type { CouponRow, Models } from '../database/models.ts';
import { rebuildGate } from './rebuild-gate.ts';
import { relayPromises } from './relay-promises.ts';
import { watchSales } from './watch-sales.ts';

export interface GatekeeperDeps {
  config: Config;
  names: Names;
  logger: Logger;
  metrics: Metrics;
  redis: Redis;
  instance: RedisInstance;
  kafka: Kafka;
  sequelize: Sequelize;
  models: Models;
  tracer: Tracer | undefined;
  /** What else one process of all is to do, for as long as it leads. */
  whileLeading?(): Running[];
}

/** A pause after a round that found little: the next one gathers more promises for the same effort. Milliseconds. */
const GATHER = 15;
const IDLE = 25;

/** The lease's connection is asked every second. It has this long to answer, or the lease is given up. Milliseconds. */
const LEASE_ANSWER = 3_000;
/** A leader that the engine has not heard of for so long is no leader any more. Seconds. */
const LEASE_LIFE = 10;

/**
 * Keeps the coupon gates: hands promises to Kafka and rebuilds gates when asked. One process leads, by a named lock
 * (GET_LOCK) on a connection of its own; the others stand by. Two leaders for a moment would only send promises twice.
 */
export function startGatekeeper(deps: GatekeeperDeps): Running {
  const { config, names, logger, redis, metrics } = deps;
  // Leading or not: a leader that fails at every round, with Kafka refusing, is when this is looked at.
  const counting = setInterval(() => {
    redis.xlen(names.stream).then(
      (length) => metrics.streamLength.set(length),
      () => {},
    );
  }, 1_000);
  const loop = runLoop('coupon-gatekeeper', logger, async (signal) => {
    const lease = await mysql.createConnection({ uri: config.databaseUrl, connectTimeout: 3_000 });
    lease.on('error', () => {});
    try {
      // A connection that broke without either side being told would keep the lock for the engine's eight hours.
      await lease.query(`SET SESSION wait_timeout = ${LEASE_LIFE}`);
      while (!signal.aborted && !(await tryLease(lease, names.gatekeeperLease))) await pause(500, signal);
      if (!signal.aborted) await lead(deps, lease, signal);
    } finally {
      // Ends the session and with it the lock.
      lease.destroy();
    }
  });
  return {
    name: loop.name,
    async stop() {
      clearInterval(counting);
      await loop.stop();
    },
  };
}

async function tryLease(lease: Connection, name: string): Promise<boolean> {
  const [rows] = await lease.query({ sql: 'SELECT GET_LOCK(?, 0) AS locked', timeout: LEASE_ANSWER }, [name]);
  return Number((rows as { locked: number }[])[0]?.locked) === 1;
}

async function lead(deps: GatekeeperDeps, lease: Connection, stopping: AbortSignal): Promise<void> {
  const { kafka, logger, metrics, names, redis, tracer } = deps;
  const lost = new AbortController();
  const signal = AbortSignal.any([stopping, lost.signal]);
  const watch = setInterval(() => {
    lease.query({ sql: 'SELECT 1', timeout: LEASE_ANSWER }).catch((error) => lost.abort(error));
  }, 1_000);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const admin = kafka.admin();
  logger.info('this process keeps the coupon gates');
  metrics.leader.set(1);
  const alongside = [watchSales(deps.models, metrics, logger), ...(deps.whileLeading?.() ?? [])];
  try {
    await Promise.all([producer.connect(), admin.connect()]);
    await askForClosedGates(deps);
    while (!signal.aborted) {
      const [{ count }, asked] = await Promise.all([
        relayPromises({ redis, producer, names, metrics, tracer }),
        redis.smembers(names.rebuildRequests),
      ]);
      metrics.gatesClosed.set(asked.length);
      for (const couponId of asked) {
        const relayThrough = async (streamId: string) => {
          for (let lastId = '0-0', left = 1; left > 0 && !reached(lastId, streamId); ) {
            ({ lastId, count: left } = await relayPromises({ redis, producer, names, metrics, tracer }));
          }
        };
        // Taken off the list first: a request that comes during the rebuild asks for another one.
        await redis.srem(names.rebuildRequests, couponId);
        // Requests that found it closed ask until it is open: the last of them must not close it again.
        if (await isOpen(deps, couponId)) continue;
        const closed = performance.now();
        try {
          await rebuildGate({ ...deps, admin, relayThrough, signal }, couponId);
        } catch (error) {
          await redis.sadd(names.rebuildRequests, couponId).catch(() => {});
          throw error;
        }
        metrics.rebuilds.inc();
        metrics.rebuild.observe((performance.now() - closed) / 1000);
        logger.info({ couponId }, 'coupon gate rebuilt');
      }
      if (count < 500 && asked.length === 0) await pause(count > 0 ? GATHER : IDLE, signal);
    }
    if (lost.signal.aborted) throw new Error('the lease was lost', { cause: lost.signal.reason });
  } finally {
    clearInterval(watch);
    // The next leader tells these.
    for (const gauge of [metrics.leader, metrics.gatesClosed]) gauge.set(0);
    await Promise.allSettled([
      producer.disconnect(),
      admin.disconnect(),
      ...alongside.map((running) => running.stop()),
    ]);
  }
}

/** At the start of a lease: every coupon whose gate is not open under the running Redis is asked to be rebuilt. */
async function askForClosedGates(deps: GatekeeperDeps): Promise<void> {
  const coupons = (await deps.models.coupons.findAll({
    attributes: ['id'],
    raw: true,
  })) as unknown as Pick<CouponRow, 'id'>[];
  for (const { id } of coupons) if (!(await isOpen(deps, id))) await deps.redis.sadd(deps.names.rebuildRequests, id);
}

/** Whether the gate is of the running Redis and of the coupon as it is now. */
async function isOpen({ instance, models, names, redis }: GatekeeperDeps, couponId: string): Promise<boolean> {
  const coupon = (await models.coupons.findByPk(couponId, {
    attributes: ['generation', 'total_quantity'],
    raw: true,
  })) as unknown as Pick<CouponRow, 'generation' | 'total_quantity'> | null;
  const [ours, generation, limit] = await redis.hmget(names.gate(couponId), 'instance', 'generation', 'limit');
  return ours === instance.id && generation === coupon?.generation && Number(limit) === coupon?.total_quantity;
}

/** Compares stream ids `milliseconds-sequence`. */
function reached(id: string, goal: string): boolean {
  const [ms = 0, seq = 0] = id.split('-').map(Number);
  const [goalMs = 0, goalSeq = 0] = goal.split('-').map(Number);
  return ms > goalMs || (ms === goalMs && seq >= goalSeq);
}
