import type { Kafka, Producer } from 'kafkajs';
import type { Logger } from 'pino';
import { crashPoint } from './crash-point.ts';
import { pause, type Running, runLoop } from './lifecycle.ts';
import type { Metrics } from './metrics.ts';
import { locking, type Statement, type Tx, type WritePool, writing } from './mysql.ts';
import { epochOf } from './tracing/clock.ts';
import { producerSpans } from './tracing/message-spans.ts';
import { childOf, recordedContext, type TraceContext, traceparent } from './tracing/trace-context.ts';
import type { Tracer } from './tracing/tracer.ts';
import { TransactionRecord } from './transaction-record.ts';

export interface OutboxDeps {
  pool: WritePool;
  kafka: Kafka;
  topic: string;
  metrics: Metrics;
  logger: Logger;
  /** Attempts before an event is FAILED. */
  maxAttempts: number;
  tracer?: Tracer | undefined;
}

interface OutboxRow {
  id: number;
  aggregate_id: string;
  event_type: string;
  payload: unknown;
  attempts: number;
  /** Milliseconds since it was created, by the engine's clock. */
  age: number;
  trace_parent: string | null;
}

const BATCH = 500;
const IDLE = 150;
/** How often all of the backlog is looked through. Milliseconds. */
const WHOLE = 500;
/** Milliseconds before the second attempt; doubles with each, up to the longest. */
const FIRST_BACKOFF = 200;
const LONGEST_BACKOFF = 30_000;

/**
 * Publishes outbox events: locks a batch of pending ones (SKIP LOCKED, so several relays share the work), sends them
 * (acks=all, keyed by aggregate) and marks them in the same transaction. Killed between the acknowledgement and the
 * mark, it sends them again as new messages: consumers must take an event once, by the id in its header. An event that failed too often is FAILED and waits for
 * its redrive.
 *
 * Marks leave their index entries behind until the engine purges them, seconds' worth of events under load, and each look would
 * read them all. So most looks begin where the last batch began; what has a lower id and is pending all the same, as its
 * transaction was late or its attempt failed, waits for the next look at the whole.
 */
export function startOutboxRelay(deps: OutboxDeps): Running {
  const producer = deps.kafka.producer({ allowAutoTopicCreation: false });
  let counted = 0;
  let looked = Number.NEGATIVE_INFINITY;
  let from = 0;
  const loop = runLoop('outbox-relay', deps.logger, async (signal) => {
    const whole = performance.now() - looked > WHOLE;
    const { published, first } = await publishBatch(deps, producer, whole ? 0 : from);
    from = first ?? from;
    if (whole) looked = performance.now();
    if (Date.now() - counted > 1_000) {
      counted = Date.now();
      await countBacklog(deps);
    }
    if (published < BATCH / 2) await pause(IDLE, signal);
  });
  return {
    name: 'outbox-relay',
    async stop() {
      await loop.stop();
      await producer.disconnect();
    },
  };
}

/** Locks the oldest events that are due, from this id on, but for those that another relay has. */
export const pendingEvents = (from: number): Statement<OutboxRow[]> =>
  locking(
    `SELECT id, aggregate_id, event_type, payload, attempts, trace_parent,
            TIMESTAMPDIFF(MICROSECOND, created_at, NOW(3)) / 1e3 AS age FROM outbox_events FORCE INDEX (idx_status)
      WHERE status = 'PENDING' AND id >= ? AND next_attempt_at <= NOW(3) ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
    [from],
    (rows: OutboxRow[]) => rows,
  );

export const markPublished = (ids: number[]): Statement<number> =>
  writing(
    `UPDATE outbox_events FORCE INDEX (PRIMARY)
        SET status = 'PUBLISHED', published_at = NOW(3), attempts = attempts + 1 WHERE id IN (?)`,
    [ids],
  );

/**
 * Takes up events from this id on.
 * @returns how many were published, and the lowest id that was taken up.
 */
async function publishBatch(
  deps: OutboxDeps,
  producer: Producer,
  from: number,
): Promise<{ published: number; first: number | undefined }> {
  const { pool, metrics, maxAttempts } = deps;
  const work = async (tx: Tx) => {
    const [events] = await tx.run(pendingEvents(from));
    const first = events[0]?.id;
    if (first === undefined) return { published: 0, first };
    const failures = await sendEvents(deps, producer, events);
    crashPoint('outbox:acknowledged');
    for (const { ids, error } of failures) {
      await tx.write(
        `UPDATE outbox_events
            SET attempts = attempts + 1,
                status = IF(attempts >= ?, 'FAILED', 'PENDING'),
                last_error = ?,
                next_attempt_at = NOW(3) + INTERVAL LEAST(?, ? * POW(2, LEAST(attempts - 1, 20))) * 1000 MICROSECOND
          WHERE id IN (?)`,
        [maxAttempts, String(error).slice(0, 255), LONGEST_BACKOFF, FIRST_BACKOFF, ids],
      );
      metrics.outbox.inc({ result: 'failed' }, ids.length);
    }
    const failed = new Set(failures.flatMap(({ ids }) => ids));
    const sent = events.map(({ id }) => id).filter((id) => !failed.has(id));
    if (sent.length === 0) return { published: 0, first };
    await tx.run(markPublished(sent));
    metrics.outbox.inc({ result: 'published' }, sent.length);
    return { published: sent.length, first };
  };
  return pool.transaction(Date.now() + 15_000, work, new TransactionRecord('outbox', 0));
}

/** What the brokers refuse for an event's own sake, however often it is sent. */
const REFUSED = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'];

/**
 * Sends all events at once and returns those that were not acknowledged. One that the brokers refuse fails alone: the
 * halves of the batch are sent again until it is found, which may send its neighbours twice.
 */
async function sendEvents(
  deps: OutboxDeps,
  producer: Producer,
  events: OutboxRow[],
): Promise<{ ids: number[]; error: unknown }[]> {
  const { topic, metrics, tracer } = deps;
  const taken = performance.now();
  const traced = new Map(
    events.flatMap((event) => {
      const parent = tracer && recordedContext(event.trace_parent);
      return parent ? [[event, { parent, context: childOf(parent) }]] : [];
    }),
  );
  try {
    await producer.connect();
    await producer.send({
      topic,
      acks: -1,
      timeout: 5_000,
      messages: events.map((event) => ({
        key: event.aggregate_id,
        // MySQL's driver parses JSON columns, MariaDB's are text.
        value: typeof event.payload === 'string' ? event.payload : JSON.stringify(event.payload),
        headers: { type: event.event_type, id: String(event.id), ...header(traced.get(event)) },
      })),
    });
    const acknowledged = performance.now();
    metrics.produce.observe({ topic }, (acknowledged - taken) / 1000);
    for (const { age } of events) metrics.outboxLag.observe(Math.max(0, Number(age) + acknowledged - taken) / 1000);
    for (const [event, { parent, context }] of traced)
      tracer?.write(
        producerSpans(parent, context, {
          role: 'outbox-relay',
          topic,
          from: 'outbox',
          since: epochOf(taken) - Number(event.age),
          taken: epochOf(taken),
          acknowledged: epochOf(acknowledged),
          attributes: { 'onrush.order_id': event.aggregate_id, 'messaging.batch.message_count': events.length },
        }),
      );
    return [];
  } catch (error) {
    const type = ((error as { cause?: { type?: string } }).cause ?? (error as { type?: string })).type ?? '';
    if (events.length === 1 || !REFUSED.includes(type)) return [{ ids: events.map(({ id }) => id), error }];
    const middle = Math.ceil(events.length / 2);
    return [
      ...(await sendEvents(deps, producer, events.slice(0, middle))),
      ...(await sendEvents(deps, producer, events.slice(middle))),
    ];
  }
}

const header = (traced: { context: TraceContext } | undefined) =>
  traced ? { traceparent: traceparent(traced.context) } : {};

async function countBacklog({ pool, metrics }: OutboxDeps): Promise<void> {
  const rows = await pool.rows<{ status: string; events: number; age: number }>(
    Date.now() + 5_000,
    `SELECT status, COUNT(*) AS events, TIMESTAMPDIFF(MICROSECOND, MIN(created_at), NOW(3)) / 1e6 AS age
       FROM outbox_events WHERE status IN ('PENDING', 'FAILED') GROUP BY status`,
  );
  const of = (status: string) => rows.find((row) => row.status === status);
  for (const status of ['PENDING', 'FAILED']) metrics.outboxBacklog.set({ status }, Number(of(status)?.events ?? 0));
  metrics.outboxAge.set(Math.max(0, Number(of('PENDING')?.age ?? 0)));
}
