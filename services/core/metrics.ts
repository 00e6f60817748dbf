import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { httpMetrics } from './http/metrics.ts';

/** Places where a request can wait for something that another one holds. */
export type WaitPlace = 'combiner' | 'pool' | 'redlock' | 'user_row' | 'coupon_row' | 'stock_row';

export interface LockMetrics {
  /** Row figures are the locking statement's time: an upper bound of the wait. */
  waited(at: WaitPlace, milliseconds: number): void;
  /** A whole transaction is run again. */
  retried(reason: string): void;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Every metric of the program but the HTTP ones, which stand beside the server. Base units, enumerated labels only. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const lockWait = new Histogram({
    name: 'onrush_lock_wait_seconds',
    help: 'Time waited for a queue, a pool or a lock; row figures are the locking statement’s whole time',
    labelNames: ['at'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
    registers,
  });
  const waits = Object.fromEntries(
    (['combiner', 'pool', 'redlock', 'user_row', 'coupon_row', 'stock_row'] as const).map((at) => [
      at,
      lockWait.labels(at),
    ]),
  ) as Record<WaitPlace, ReturnType<typeof lockWait.labels>>;
  const retries = new Counter({
    name: 'onrush_transaction_retries_total',
    help: 'Whole transactions run again, by reason',
    labelNames: ['reason'] as const,
    registers,
  });
  const locks: LockMetrics = {
    waited: (at, milliseconds) => waits[at].observe(milliseconds / 1000),
    retried: (reason) => retries.inc({ reason }),
  };
  return {
    registry,
    http: httpMetrics(registry),
    locks,
    batchSize: new Histogram({
      name: 'onrush_combiner_batch_size',
      help: 'Requests served by one transaction',
      labelNames: ['combiner'] as const,
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers,
    }),
    queued: new Gauge({
      name: 'onrush_combiner_queue',
      help: 'Requests waiting for the next transaction',
      labelNames: ['combiner'] as const,
      registers,
    }),
    admissions: new Counter({
      name: 'onrush_coupon_admissions_total',
      help: 'What the coupon gate answered',
      labelNames: ['result'] as const,
      registers,
    }),
    issued: new Counter({
      name: 'onrush_coupons_issued_total',
      help: 'Coupon messages settled by the consumer',
      labelNames: ['result'] as const,
      registers,
    }),
    issueLag: new Histogram({
      name: 'onrush_coupon_issue_lag_seconds',
      help: 'Time from the gate’s promise to the committed coupon',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    relayed: new Counter({
      name: 'onrush_coupon_relayed_total',
      help: 'Promises handed from the Redis stream to Kafka',
      registers,
    }),
    streamLength: new Gauge({
      name: 'onrush_coupon_stream_length',
      help: 'Promises not handed to Kafka yet',
      registers,
    }),
    rebuilds: new Counter({
      name: 'onrush_coupon_gate_rebuilds_total',
      help: 'Coupon gates rebuilt from MySQL',
      registers,
    }),
    deadLetters: new Counter({
      name: 'onrush_dead_letters_total',
      help: 'Messages that cannot be processed, by topic',
      labelNames: ['topic'] as const,
      registers,
    }),
    outbox: new Counter({
      name: 'onrush_outbox_events_total',
      help: 'Outbox events by what became of a publishing attempt',
      labelNames: ['result'] as const,
      registers,
    }),
    // Every relay counts the whole table: processes that share a port report it once.
    outboxBacklog: new Gauge({
      aggregator: 'max',
      name: 'onrush_outbox_backlog',
      help: 'Outbox events by status that are not published',
      labelNames: ['status'] as const,
      registers,
    }),
    outboxAge: new Gauge({
      aggregator: 'max',
      name: 'onrush_outbox_oldest_age_seconds',
      help: 'Age of the oldest pending outbox event',
      registers,
    }),
    pool: new Gauge({
      name: 'onrush_pool_connections',
      help: 'Connections of the write pool',
      labelNames: ['state'] as const,
      registers,
    }),
  };
}
