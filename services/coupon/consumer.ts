import type { EachBatchPayload, Kafka, KafkaMessage, Producer } from 'kafkajs';
import type { Logger } from 'pino';
import { consume, untilDone } from '../core/consume.ts';
import { crashPoint } from '../core/crash-point.ts';
import type { Running } from '../core/lifecycle.ts';
import type { Metrics } from '../core/metrics.ts';
import type { WritePool } from '../core/mysql.ts';
import type { Names } from '../core/names.ts';
import { epochOf } from '../core/tracing/clock.ts';
import { consumerSpans } from '../core/tracing/message-spans.ts';
import { recordedContext } from '../core/tracing/trace-context.ts';
import type { Tracer } from '../core/tracing/tracer.ts';
import { TransactionRecord } from '../core/transaction-record.ts';
import type { Gate } from './gate.ts';
import { type CouponPromise, couponPromise } from './promise.ts';
import { type Delivered, type Settled, settlePromises } from './settle.ts';

export interface ConsumerDeps {
  kafka: Kafka;
  names: Names;
  pool: WritePool;
  gate: Gate;
  metrics: Metrics;
  logger: Logger;
  tracer: Tracer | undefined;
}

/** Promises that one transaction settles. */
const CHUNK = 500;
const DEADLINE = 10_000;

/**
 * Settles promises in batches, then takes the rejected ones back from the gate, then commits the offset: killed anywhere
 * in between, it does the same batch again, which changes nothing. A message that cannot be read goes to the dead letter
 * topic, acknowledged before the offset is committed.
 */
export async function startConsumer(deps: ConsumerDeps): Promise<Running> {
  const { kafka, names, metrics, logger } = deps;
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  // So that the first one is an increase, and stays one when this process is gone.
  metrics.deadLetters.inc({ topic: names.couponTopic }, 0);
  const running = await consume({
    kafka,
    logger,
    groupId: names.consumerGroup,
    topic: names.couponTopic,
    partitionsConsumedConcurrently: 2,
    async eachBatch(payload) {
      await untilDone(payload, logger, () => processBatch(deps, producer, payload));
    },
  });
  return {
    name: 'coupon-consumer',
    async stop() {
      await running.stop();
      await producer.disconnect();
    },
  };
}

async function processBatch(deps: ConsumerDeps, producer: Producer, payload: EachBatchPayload): Promise<void> {
  const { topic, partition, messages } = payload.batch;
  const read = performance.now();
  crashPoint('consumer:received');
  const promises: Delivered[] = [];
  const poison: Poison[] = [];
  for (const message of messages) {
    const promise = readPromise(message);
    if ('reason' in promise) poison.push({ message, reason: promise.reason });
    else
      promises.push({
        ...promise,
        partition,
        offset: message.offset,
        sent: Number(message.timestamp),
        trace: recordedContext(message.headers?.traceparent),
      });
  }
  for (const [couponId, ofCoupon] of Map.groupBy(promises, (promise) => promise.couponId)) {
    for (let from = 0; from < ofCoupon.length; from += CHUNK) {
      await settleChunk(deps, couponId, ofCoupon.slice(from, from + CHUNK), read);
      await payload.heartbeat();
    }
  }
  // Last, so that a batch that fails and is done again does not bury them each time.
  if (poison.length > 0) await bury(deps, producer, topic, partition, poison);
  crashPoint('consumer:settled');
}

async function settleChunk(deps: ConsumerDeps, couponId: string, chunk: Delivered[], read: number) {
  const { pool, gate, metrics } = deps;
  const record = new TransactionRecord('issue', chunk.length);
  const settled = await settlePromises(pool, couponId, chunk, Date.now() + DEADLINE, record);
  crashPoint('settle:committed');
  const now = Date.now();
  for (const { acceptedAt } of settled.issued) metrics.issueLag.observe(Math.max(0, now - acceptedAt) / 1000);
  metrics.issued.inc({ result: 'issued' }, settled.issued.length);
  metrics.issued.inc({ result: 'dropped' }, settled.dropped);
  metrics.consumed.inc({ group: deps.names.consumerGroup }, chunk.length);
  traceSettled(deps, chunk, settled, record, read);
  if (settled.rejected.length > 0) {
    // Fails while Redis is away, and the batch is done again: the gate may outlive that, and would keep the places for ever.
    await gate.withdraw(
      couponId,
      settled.rejected.map(({ promise }) => promise),
    );
    metrics.issued.inc({ result: 'rejected' }, settled.rejected.length);
  }
}

/** Writes the spans of those promises whose requests are recorded. */
function traceSettled(
  { names, tracer }: ConsumerDeps,
  chunk: Delivered[],
  settled: Settled,
  record: TransactionRecord,
  read: number,
) {
  const traced = chunk.flatMap((promise) => (promise.trace ? [{ ...promise, parent: promise.trace }] : []));
  if (!tracer || traced.length === 0) return;
  const done = epochOf(performance.now());
  const issued = new Set(settled.issued.map(({ streamId }) => streamId));
  const reasons = new Map(settled.rejected.map(({ promise, reason }) => [promise.streamId, reason]));
  const messages = traced.map(({ parent, partition, offset, sent = 0, streamId, userId, couponId }) => ({
    role: 'coupon-consumer' as const,
    topic: names.couponTopic,
    group: names.consumerGroup,
    parent,
    partition,
    offset,
    sent,
    read: epochOf(read),
    done,
    attributes: {
      'onrush.stream_id': streamId,
      'onrush.user_id': userId,
      'onrush.coupon_id': couponId,
      'onrush.result': issued.has(streamId) ? 'issued' : (reasons.get(streamId) ?? 'dropped'),
    },
  }));
  tracer.write(consumerSpans(messages, record));
}

/** A message that cannot be read, and why. */
interface Poison {
  message: KafkaMessage;
  reason: string;
}

function readPromise({ value }: KafkaMessage): CouponPromise | { reason: string } {
  if (value === null) return { reason: 'no value' };
  let json: unknown;
  try {
    json = JSON.parse(value.toString());
  } catch {
    return { reason: 'not JSON' };
  }
  const { data, error } = couponPromise.safeParse(json);
  if (data) return data;
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'value'}: ${message}`);
  return { reason: problems.join('; ').slice(0, 500) };
}

async function bury(
  { names, metrics, logger }: ConsumerDeps,
  producer: Producer,
  topic: string,
  partition: number,
  poison: Poison[],
) {
  await producer.connect();
  await producer.send({
    topic: names.couponDeadTopic,
    acks: -1,
    messages: poison.map(({ message: { key, value, offset }, reason }) => ({
      key,
      value,
      headers: { topic, partition: String(partition), offset, reason },
    })),
  });
  crashPoint('consumer:buried');
  metrics.deadLetters.inc({ topic }, poison.length);
  logger.error(
    { topic, partition, messages: poison.map(({ message, reason }) => ({ offset: message.offset, reason })) },
    'unreadable messages moved to the dead letter topic',
  );
}
