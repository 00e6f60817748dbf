import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../services/core/config.ts';
import { namesOf } from '../../services/core/names.ts';
import { connectDatabase, connectKafka, connectRedis } from '../seed/connect.ts';
import { readBefore } from './before.ts';
import { drained, type Queues } from './drained.ts';
import type { Before } from './figures.ts';

const GATE_OPENS = 30_000;

/** The engines beneath the APIs, as far as the bench itself asks them. */
export interface Stack {
  before(): Promise<Before>;
  /** Waits until the coupon's gate was built; requests before that get a 503, which would count as errors of the load. */
  untilGateOpen(couponId: string): Promise<void>;
  /** Waits until all queues are empty; why they are not, if they never were. */
  untilDrained(patienceMs: number): Promise<{ seconds: number; reasons: string[] }>;
  close(): Promise<void>;
}

/** @throws EngineAway */
export async function openStack(
  config: Pick<Config, 'databaseUrl' | 'redisUrl' | 'kafkaBrokers' | 'namespace'>,
): Promise<Stack> {
  await using opening = new AsyncDisposableStack();
  const connection = await connectDatabase(config.databaseUrl);
  opening.defer(() => connection.end());
  const redis = await connectRedis(config.redisUrl);
  opening.defer(() => redis.disconnect());
  const kafka = await connectKafka(config.kafkaBrokers, config.namespace);
  opening.defer(() => kafka.disconnect());
  const names = namesOf(config.namespace);
  const queues: Queues = { connection, redis, kafka, names };
  const opened = opening.move();
  return {
    before: () => readBefore(connection),
    async untilGateOpen(couponId) {
      for (const until = Date.now() + GATE_OPENS; !(await redis.exists(names.gate(couponId))); await sleep(50))
        if (Date.now() > until) throw new Error(`the gate of ${couponId} was not built within ${GATE_OPENS / 1000} s`);
    },
    async untilDrained(patienceMs) {
      const began = performance.now();
      for (;;) {
        const { drained: empty, reasons } = await drained(queues);
        const waited = performance.now() - began;
        if (empty || waited > patienceMs) return { seconds: waited / 1000, reasons };
      }
    },
    close: () => opened.disposeAsync(),
  };
}
