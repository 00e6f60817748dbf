import type { Redis } from 'ioredis';
import type { Producer } from 'kafkajs';
import { crashPoint } from '../core/crash-point.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import { epochOf } from '../core/tracing/clock.ts';
import { producerSpans } from '../core/tracing/message-spans.ts';
import { childOf, type TraceContext, traceparent } from '../core/tracing/trace-context.ts';
import type { Tracer } from '../core/tracing/tracer.ts';
import { type CouponPromise, promiseOfEntry, traceOfEntry } from './promise.ts';

export interface RelayDeps {
  redis: Redis;
  producer: Producer;
  names: Names;
  metrics: Metrics;
  tracer: Tracer | undefined;
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
  tracer,
}: RelayDeps): Promise<{ count: number; lastId: string }> {
  const found = await redis.xread('COUNT', BATCH, 'STREAMS', names.stream, '0');
  const entries = found?.[0]?.[1] ?? [];
  const lastId = entries.at(-1)?.[0] ?? '0-0';
  if (entries.length === 0) return { count: 0, lastId };
  const taken = performance.now();
  const traced: { promise: CouponPromise; parent: TraceContext; context: TraceContext }[] = [];
  await producer.send({
    topic: names.couponTopic,
    acks: -1,
    timeout: 5_000,
    messages: entries.map((entry) => {
      const promise = promiseOfEntry(entry);
      const message = { key: `${promise.couponId}:${promise.userId}`, value: JSON.stringify(promise) };
      const parent = tracer && traceOfEntry(entry);
      if (!parent) return message;
      const context = childOf(parent);
      traced.push({ promise, parent, context });
      return { ...message, headers: { traceparent: traceparent(context) } };
    }),
  });
  crashPoint('relay:acknowledged');
  const acknowledged = performance.now();
  metrics.produce.observe({ topic: names.couponTopic }, (acknowledged - taken) / 1000);
  await redis.xdel(names.stream, ...entries.map(([id]) => id));
  metrics.relayed.inc(entries.length);
  for (const { promise, parent, context } of traced)
    tracer?.write(
      producerSpans(parent, context, {
        role: 'coupon-gatekeeper',
        topic: names.couponTopic,
        from: 'stream',
        since: promise.acceptedAt,
        taken: epochOf(taken),
        acknowledged: epochOf(acknowledged),
        attributes: {
          'onrush.stream_id': promise.streamId,
          'onrush.user_id': promise.userId,
          'onrush.coupon_id': promise.couponId,
          'messaging.batch.message_count': entries.length,
        },
      }),
    );
  return { count: entries.length, lastId };
}
