import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DURATION_BUCKETS } from './duration-buckets.ts';
import { type HttpMetrics, httpMetrics } from './http/metrics.ts';
import { VERSION } from './version.ts';

/*
 * Every metric of the program: dashboards and alerts know the names from here. Base units (seconds, won, plain counts);
 * labels are route templates, codes and the enumerations below, never ids of users or rows. Enumerated counters stand at
 * zero from the start, so that the first event is seen as growth.
 */

/** Places where a request can wait for something that another one holds. */
export const WAIT_PLACES = ['combiner', 'pool', 'redlock', 'user_row', 'coupon_row', 'stock_row'] as const;
export type WaitPlace = (typeof WAIT_PLACES)[number];

/** What is held from the moment it was had until it is given back: rows until the end of their transaction. */
export const HOLD_PLACES = ['redlock', 'user_row', 'coupon_row', 'stock_row'] as const;
export type HoldPlace = (typeof HOLD_PLACES)[number];
export type RowPlace = Exclude<HoldPlace, 'redlock'>;

/** Transactions of the write pool. */
export const OPERATIONS = ['charge', 'checkout', 'issue', 'outbox', 'other'] as const;
export type Operation = (typeof OPERATIONS)[number];
/** `unknown`: the connection broke while committing. `rolled_back`: by the program, or because a whole retry follows. */
export const OUTCOMES = ['committed', 'rolled_back', 'failed', 'unknown'] as const;
export type TransactionOutcome = (typeof OUTCOMES)[number];
export const RETRY_REASONS = ['deadlock', 'lock_wait_timeout', 'record_changed', 'commit_unknown'] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

/** What a process is there for: to answer requests, to relay and consume, or both. */
export const WORKS = ['requests', 'background', 'both'] as const;
export type Work = (typeof WORKS)[number];

export const ADMISSIONS = ['admitted', 'replayed', 'already', 'outside_period', 'sold_out', 'not_loaded'] as const;
/** For hot writes (mysql2) and for everything else (the models). */
const POOLS = ['write', 'read'] as const;
const COMBINERS = ['charge', 'checkout'] as const;
const FLOWS = ['charged', 'paid', 'discounted'] as const;

const WAIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3];
const LAG_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface LockMetrics {
  /** Row figures are the locking statement's time: an upper bound of the wait. */
  waited(at: WaitPlace, milliseconds: number): void;
  held(at: HoldPlace, milliseconds: number): void;
  /** A transaction has ended, with or without effect; its time runs from the connection it was given. */
  ended(operation: Operation, outcome: TransactionOutcome, milliseconds: number): void;
  /** A whole transaction is run again. */
  retried(operation: Operation, reason: RetryReason): void;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Without `on` nothing is counted: what counting costs is measured against that. */
export function createMetrics({ on = true, work = 'both' }: { on?: boolean; work?: Work } = {}) {
  const registry = new Registry();
  if (on) {
    collectDefaultMetrics({ register: registry });
    tellWhatFor(registry, work);
  }
  const registers = [registry];

  const gauges = {
    buildInfo: new Gauge({
      aggregator: 'first',
      name: 'onrush_build_info',
      help: 'Always 1; what runs',
      labelNames: ['version', 'node'] as const,
      registers,
    }),
    inFlight: new Gauge({
      name: 'onrush_http_requests_in_flight',
      help: 'Requests that have no answer yet, health checks and metrics aside',
      registers,
    }),
    /** `in_use` counts connections, `waiting` requests for one. */
    pool: new Gauge({
      name: 'onrush_pool_connections',
      help: 'Connections to MySQL that are in use, and requests that wait for one',
      labelNames: ['pool', 'state'] as const,
      registers,
    }),
    poolSize: new Gauge({
      name: 'onrush_pool_size',
      help: 'Connections to MySQL that a pool may have',
      labelNames: ['pool'] as const,
      registers,
    }),
    queued: new Gauge({
      name: 'onrush_combiner_queue',
      help: 'Requests waiting for the next transaction',
      labelNames: ['combiner'] as const,
      registers,
    }),
    streamLength: new Gauge({
      aggregator: 'max',
      name: 'onrush_coupon_stream_length',
      help: 'Promises not handed to Kafka yet',
      registers,
    }),
    gatesClosed: new Gauge({
      name: 'onrush_coupon_gates_closed',
      help: 'Coupons whose gate is asked to be rebuilt or is being rebuilt',
      registers,
    }),
    couponQuantity: new Gauge({
      aggregator: 'max',
      name: 'onrush_coupon_quantity',
      help: 'Coupons of all sales that run now, by what became of them',
      labelNames: ['state'] as const,
      registers,
    }),
    leader: new Gauge({
      name: 'onrush_gatekeeper_leader',
      help: '1 in the process that keeps the coupon gates',
      registers,
    }),
    lockWaiters: new Gauge({
      name: 'onrush_row_lock_waiters',
      help: 'Transactions that wait for a row lock, as the engine said at the last sample',
      labelNames: ['table', 'index'] as const,
      registers,
    }),
    lockOldest: new Gauge({
      name: 'onrush_row_lock_oldest_wait_seconds',
      help: 'The longest wait for a row lock at the last sample',
      labelNames: ['table', 'index'] as const,
      registers,
    }),
    consumerLag: new Gauge({
      name: 'onrush_consumer_lag',
      help: 'Messages that lie in a topic and that a consumer group has not committed',
      labelNames: ['group', 'topic', 'partition'] as const,
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
  };

  const histograms = {
    duration: new Histogram({
      name: 'onrush_http_request_duration_seconds',
      help: 'Time from the request’s headers to the end of its answer',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: DURATION_BUCKETS,
      registers,
    }),
    lockWait: new Histogram({
      name: 'onrush_lock_wait_seconds',
      help: 'Time waited for a queue, a pool or a lock; row figures are the locking statement’s whole time',
      labelNames: ['at'] as const,
      buckets: WAIT_BUCKETS,
      registers,
    }),
    lockHold: new Histogram({
      name: 'onrush_lock_hold_seconds',
      help: 'Time from having a lock to giving it back; rows are held until their transaction has ended',
      labelNames: ['at'] as const,
      buckets: WAIT_BUCKETS,
      registers,
    }),
    transaction: new Histogram({
      name: 'onrush_transaction_duration_seconds',
      help: 'Time from having a connection to the end of the transaction on it',
      labelNames: ['operation', 'outcome'] as const,
      buckets: WAIT_BUCKETS,
      registers,
    }),
    batchSize: new Histogram({
      name: 'onrush_combiner_batch_size',
      help: 'Requests served by one transaction',
      labelNames: ['combiner'] as const,
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers,
    }),
    gate: new Histogram({
      name: 'onrush_coupon_gate_duration_seconds',
      help: 'Time the coupon gate took to answer, the way to Redis and back included',
      buckets: WAIT_BUCKETS,
      registers,
    }),
    issueLag: new Histogram({
      name: 'onrush_coupon_issue_lag_seconds',
      help: 'Time from the gate’s promise to the committed coupon',
      buckets: LAG_BUCKETS,
      registers,
    }),
    rebuild: new Histogram({
      name: 'onrush_coupon_gate_rebuild_duration_seconds',
      help: 'Time a coupon’s gate was closed while it was rebuilt',
      buckets: LAG_BUCKETS,
      registers,
    }),
    outboxLag: new Histogram({
      name: 'onrush_outbox_lag_seconds',
      help: 'Time from an outbox event’s creation to its acknowledgement by the brokers',
      buckets: LAG_BUCKETS,
      registers,
    }),
    produce: new Histogram({
      name: 'onrush_produce_duration_seconds',
      help: 'Time the brokers took to acknowledge a batch of messages',
      labelNames: ['topic'] as const,
      buckets: WAIT_BUCKETS,
      registers,
    }),
  };

  const counters = {
    refusals: new Counter({
      name: 'onrush_refusals_total',
      help: 'Requests refused, by operation and code',
      labelNames: ['operation', 'code'] as const,
      registers,
    }),
    replays: new Counter({
      name: 'onrush_idempotent_replays_total',
      help: 'Answers given again because the Idempotency-Key was known',
      labelNames: ['operation'] as const,
      registers,
    }),
    won: new Counter({
      name: 'onrush_money_won_total',
      help: 'Won that were charged to wallets, paid from them, and taken off orders by coupons',
      labelNames: ['flow'] as const,
      registers,
    }),
    retries: new Counter({
      name: 'onrush_transaction_retries_total',
      help: 'Whole transactions run again, by reason',
      labelNames: ['operation', 'reason'] as const,
      registers,
    }),
    lockWaits: new Counter({
      name: 'onrush_row_lock_waits_seen_total',
      help: 'Waits for a row lock that a sample has seen, each once; shorter ones than the sampling are missed',
      labelNames: ['table', 'index'] as const,
      registers,
    }),
    lockSamples: new Counter({
      name: 'onrush_row_lock_samples_total',
      help: 'Looks for row lock waits: none there, read from the engine, or failed',
      labelNames: ['result'] as const,
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
    relayed: new Counter({
      name: 'onrush_coupon_relayed_total',
      help: 'Promises handed from the Redis stream to Kafka',
      registers,
    }),
    rebuilds: new Counter({
      name: 'onrush_coupon_gate_rebuilds_total',
      help: 'Coupon gates rebuilt from MySQL',
      registers,
    }),
    lostPromises: new Counter({
      name: 'onrush_coupon_lost_promises_total',
      help: 'Promises found at a gate’s rebuild that became neither a coupon nor a rejection',
      registers,
    }),
    consumed: new Counter({
      name: 'onrush_messages_consumed_total',
      help: 'Messages that a consumer group has done with',
      labelNames: ['group'] as const,
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
    traces: new Counter({
      name: 'onrush_traces_total',
      help: 'Requests whose spans were written, by why: sampled, or because they failed or were slow',
      labelNames: ['reason'] as const,
      registers,
    }),
    tracesSkipped: new Counter({
      name: 'onrush_traces_skipped_total',
      help: 'Failed or slow requests whose spans were not written, because there were too many in that second',
      registers,
    }),
    spans: new Counter({
      name: 'onrush_spans_total',
      help: 'Spans by whether the exporter got rid of them',
      labelNames: ['result'] as const,
      registers,
    }),
  };

  if (on) {
    gauges.buildInfo.set({ version: VERSION, node: process.versions.node }, 1);
    for (const at of WAIT_PLACES) histograms.lockWait.zero({ at });
    for (const at of HOLD_PLACES) histograms.lockHold.zero({ at });
    for (const operation of OPERATIONS) {
      histograms.transaction.zero({ operation, outcome: 'committed' });
      for (const reason of RETRY_REASONS) counters.retries.inc({ operation, reason }, 0);
    }
    for (const combiner of COMBINERS) histograms.batchSize.zero({ combiner });
    for (const flow of FLOWS) counters.won.inc({ flow }, 0);
    for (const result of ADMISSIONS) counters.admissions.inc({ result }, 0);
    for (const result of ['issued', 'rejected', 'dropped']) counters.issued.inc({ result }, 0);
    for (const result of ['published', 'failed']) counters.outbox.inc({ result }, 0);
    for (const result of ['quiet', 'read', 'failed']) counters.lockSamples.inc({ result }, 0);
    for (const reason of ['sampled', 'failed', 'slow']) counters.traces.inc({ reason }, 0);
    for (const result of ['exported', 'dropped', 'failed']) counters.spans.inc({ result }, 0);
  } else {
    for (const metric of registry.getMetricsAsArray()) silence(metric);
    registry.clear();
  }

  // prom-client hashes the labels at every call; a child looked up once per series costs half as much.
  const waits = childOf(WAIT_PLACES, (at) => histograms.lockWait.labels(at));
  const holds = childOf(HOLD_PLACES, (at) => histograms.lockHold.labels(at));
  const locks: LockMetrics = {
    waited: (at, milliseconds) => waits[at].observe(milliseconds / 1000),
    held: (at, milliseconds) => holds[at].observe(milliseconds / 1000),
    ended: (operation, outcome, milliseconds) =>
      histograms.transaction.observe({ operation, outcome }, milliseconds / 1000),
    retried: (operation, reason) => counters.retries.inc({ operation, reason }),
  };
  const queues = childOf(COMBINERS, () => 0);
  (gauges.queued as { collect?: () => void }).collect = () => {
    for (const combiner of COMBINERS) gauges.queued.set({ combiner }, queues[combiner]);
  };
  const http: HttpMetrics = httpMetrics({ ...histograms, ...counters, ...gauges });
  return {
    registry,
    http,
    /** Takes the length of a combiner's queue at every change, which is twice a request, and hands it on when somebody asks. */
    queueOf(combiner: (typeof COMBINERS)[number]): (waiting: number) => void {
      return (waiting) => {
        queues[combiner] = waiting;
      };
    },
    /** Tells how much of each pool is in use whenever somebody asks. */
    watchPools(
      pools: Record<(typeof POOLS)[number], { size: number; usage(): { inUse: number; waiting: number } }>,
    ): void {
      if (!on) return;
      for (const pool of POOLS) gauges.poolSize.set({ pool }, pools[pool].size);
      (gauges.pool as { collect?: () => void }).collect = () => {
        for (const pool of POOLS) {
          const { inUse, waiting } = pools[pool].usage();
          gauges.pool.set({ pool, state: 'in_use' }, inUse);
          gauges.pool.set({ pool, state: 'waiting' }, waiting);
        }
      };
    },
    locks,
    ...gauges,
    ...histograms,
    ...counters,
    admitted: childOf(ADMISSIONS, (result) => counters.admissions.labels(result)),
    moved: childOf(FLOWS, (flow) => counters.won.labels(flow)),
  };
}

function childOf<Name extends string, Child>(names: readonly Name[], of: (name: Name) => Child): Record<Name, Child> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, Child>;
}

/** Makes a metric do nothing. */
function silence(metric: object): void {
  const nothing = () => {};
  Object.assign(metric, { observe: nothing, inc: nothing, set: nothing, zero: nothing, labels: () => metric });
}

/** Of processes that share a port, one answer tells the sum: this keeps apart what requests and what the background took. */
function tellWhatFor(registry: Registry, work: Work): void {
  new Counter({
    name: 'onrush_process_cpu_seconds_total',
    help: 'User and system time, by what the process is there for',
    labelNames: ['work'] as const,
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc({ work }, (user + system) / 1e6);
    },
  });
  new Gauge({
    aggregator: 'max',
    name: 'onrush_process_resident_memory_bytes',
    help: 'Memory of the largest process of those that are there for the same',
    labelNames: ['work'] as const,
    registers: [registry],
    collect() {
      this.set({ work }, process.memoryUsage.rss());
    },
  });
}
