import type { Redis } from 'ioredis';
import type { Producer } from 'kafkajs';
import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import { promiseOfEntry } from './promise.ts';

export interface RelayDeps {
  redis: Redis;
  producer: Producer;
  names: Names;
  metrics: Metrics;
}

/** Stream entries handed over at once: about 200 KB of messages. */
const BATCH = 1_000;

/**
 * Hands the oldest promises from the Redis stream to Kafka (acks=all, keyed by coupon and user, so that one user's
 * promises stay in order), deletes them once the brokers have acknowledged, and returns how many there were and the id
 * of the last. Killed in between, or run twice at once, it sends a promise again; the consumer takes it once.
 */
export async function relayPromises({
  redis,
  producer,
  names,
  metrics,
}: RelayDeps): Promise<{ count: number; lastId: string }> {
  const found = await redis.xread('COUNT', BATCH, 'STREAMS', names.stream, '0');
  const entries = found?.[0]?.[1] ?? [];
  const lastId = entries.at(-1)?.[0] ?? '0-0';
  if (entries.length === 0) return { count: 0, lastId };
  await producer.send({
    topic: names.couponTopic,
    acks: -1,
    timeout: 5_000,
    messages: entries.map((entry) => {
      const promise = promiseOfEntry(entry);
      return { key: `${promise.couponId}:${promise.userId}`, value: JSON.stringify(promise) };
    }),
  });
  await redis.xdel(names.stream, ...entries.map(([id]) => id));
  metrics.relayed.inc(entries.length);
  return { count: entries.length, lastId };
}
