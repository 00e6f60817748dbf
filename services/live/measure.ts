import { counted, gauge, growth, observed, quantile, type Reading, type Which, within } from './reading.ts';
import type { ApiNow, CouponsNow, LaneNow, Now, Place, Point, WaitNow } from './sample.ts';

export interface LiveApi {
  title: string;
  method: string;
  /** As the metrics' label has it. */
  route: string;
  /** p95, milliseconds. */
  target: number;
}

/** Largest share of requests that may end in a 5xx or without an answer; a test holds it to loadtests/slo.yaml. */
export const FAILED_TARGET = 0.01;

const FAILED = /^5|^499$/;
const REFUSED = /^4(?!99)/;

export const PLACES: readonly Place[] = [
  {
    name: 'gate',
    title: 'Coupon gate',
    phrase: 'the coupon gate',
    hint: 'Redis decides who is promised a coupon',
    who: 'request',
  },
  {
    name: 'redlock',
    title: 'Order lock',
    phrase: 'the order lock',
    hint: 'one order at a time for each user, by Redlock',
    who: 'request',
  },
  {
    name: 'combiner',
    title: 'Turn',
    phrase: 'their turn',
    hint: 'the combiner’s queue: for the next transaction',
    who: 'request',
  },
  {
    name: 'pool',
    title: 'Connection',
    phrase: 'a connection',
    hint: 'one of the write pool’s to MySQL',
    who: 'transaction',
  },
  {
    name: 'user_row',
    title: 'User row',
    phrase: 'a user row',
    hint: 'wallets, locked by charges and orders',
    who: 'transaction',
  },
  {
    name: 'coupon_row',
    title: 'Coupon row',
    phrase: 'a coupon row',
    hint: 'coupons issued and used',
    who: 'transaction',
  },
  { name: 'stock_row', title: 'Stock row', phrase: 'a stock row', hint: 'products sold', who: 'transaction' },
];

export const BACKLOGS = [
  { title: 'Waiting for their turn', hint: 'requests in the combiners’ queues' },
  { title: 'Promises not in Kafka', hint: 'the coupon stream in Redis' },
  { title: 'Consumers behind', hint: 'messages not committed, all groups' },
  { title: 'Outbox', hint: 'order events not published' },
] as const;

const COMBINERS = [
  { combiner: 'charge', title: 'Charges' },
  { combiner: 'checkout', title: 'Orders' },
] as const;
const POOLS = [
  { pool: 'write', title: 'for writes' },
  { pool: 'read', title: 'for reads' },
] as const;

const ofApi = ({ method, route }: LiveApi): Which => ({ method, route });

function waited(before: Reading, after: Reading, { name }: Place) {
  return name === 'gate'
    ? observed(before, after, 'onrush_coupon_gate_duration_seconds')
    : observed(before, after, 'onrush_lock_wait_seconds', { at: name });
}

function backlog(reading: Reading): (number | null)[] {
  const leads = (gauge(reading, 'onrush_gatekeeper_leader') ?? 0) > 0;
  return [
    counted(reading, 'onrush_combiner_queue'),
    leads ? gauge(reading, 'onrush_coupon_stream_length') : null,
    gauge(reading, 'onrush_consumer_lag'),
    gauge(reading, 'onrush_outbox_backlog', { status: 'PENDING' }),
  ];
}

/** One point of the charts: what happened between two readings. */
export function measurePoint(
  apis: readonly LiveApi[],
  before: Reading,
  after: Reading,
  seconds: number,
): Omit<Point, 'at'> {
  const requests = apis.map((api) => observed(before, after, 'onrush_http_request_duration_seconds', ofApi(api)));
  return {
    requests: requests.map(({ count }) => rounded(count / seconds, 2)),
    p95: requests.map((one) => rounded(quantile(one, 0.95))),
    waiting: PLACES.map((place) => rounded(waited(before, after, place).sum / seconds, 3)),
    backlog: backlog(after),
  };
}

/** The figures beside the charts, but for those that do not come from metrics. */
export type Measured = Omit<Now, 'health' | 'apis' | 'cores' | 'loopBusy' | 'memoryBytes' | 'verdict'> &
  Facts & { apis: Omit<ApiNow, 'state'>[] };

/** What health depends on and no figure shows. */
export interface Facts {
  deadLetters: number;
  outboxFailed: number;
}

export function measureNow(apis: readonly LiveApi[], before: Reading, after: Reading, seconds: number): Measured {
  const requests = apis.map((api) => measureApi(api, before, after, seconds));
  const requestSeconds = apis.reduce(
    (sum, api) => sum + observed(before, after, 'onrush_http_request_duration_seconds', ofApi(api)).sum,
    0,
  );
  const waits = PLACES.map((place) => waited(before, after, place));
  const pool = waits[PLACES.findIndex(({ name }) => name === 'pool')]?.sum ?? 0;
  // A transaction's time begins with its connection; what it waited for that comes before.
  const transactionSeconds = observed(before, after, 'onrush_transaction_duration_seconds').sum + pool;
  return {
    seconds,
    apis: requests,
    waits: PLACES.map(({ who }, n) =>
      measureWait(
        waits[n] ?? { count: 0, sum: 0, buckets: [] },
        who === 'request' ? requestSeconds : transactionSeconds,
        seconds,
      ),
    ),
    coupons: measureCoupons(before, after, seconds),
    backlog: backlog(after),
    outboxOldest: gauge(after, 'onrush_outbox_oldest_age_seconds'),
    lanes: COMBINERS.map(({ combiner, title }) => measureLane(before, after, combiner, title)),
    pools: POOLS.map(({ pool, title }) => ({
      title,
      inUse: counted(after, 'onrush_pool_connections', { pool, state: 'in_use' }),
      waiting: counted(after, 'onrush_pool_connections', { pool, state: 'waiting' }),
      size: counted(after, 'onrush_pool_size', { pool }),
    })),
    inFlight: counted(after, 'onrush_http_requests_in_flight'),
    deadLetters: growth(before, after, 'onrush_dead_letters_total'),
    outboxFailed: counted(after, 'onrush_outbox_backlog', { status: 'FAILED' }),
  };
}

function measureApi(api: LiveApi, before: Reading, after: Reading, seconds: number): Omit<ApiNow, 'state'> {
  const count = (which: Which) =>
    observed(before, after, 'onrush_http_request_duration_seconds', { ...ofApi(api), ...which }).count;
  const all = observed(before, after, 'onrush_http_request_duration_seconds', ofApi(api));
  return {
    requests: rounded(all.count / seconds, 2),
    p50: rounded(quantile(all, 0.5)),
    p95: rounded(quantile(all, 0.95)),
    p99: rounded(quantile(all, 0.99)),
    failed: all.count === 0 ? null : count({ status: FAILED }) / all.count,
    refused: rounded(count({ status: REFUSED }) / seconds),
    within: all.count === 0 ? null : within(all, api.target) / all.count,
  };
}

function measureWait(one: ReturnType<typeof waited>, outOf: number, seconds: number): WaitNow {
  return {
    count: rounded(one.count / seconds),
    waiting: rounded(one.sum / seconds, 3),
    p95: rounded(quantile(one, 0.95), 2),
    // What was waited for in these seconds may belong to a request that ends after them.
    share: outOf === 0 ? 0 : Math.min(1, rounded(one.sum / outOf, 3)),
  };
}

function measureLane(before: Reading, after: Reading, combiner: string, title: string): LaneNow {
  const { count, sum } = observed(before, after, 'onrush_combiner_batch_size', { combiner });
  return {
    title,
    queue: counted(after, 'onrush_combiner_queue', { combiner }),
    batch: count === 0 ? null : rounded(sum / count),
  };
}

/** `pending`: promised, and neither issued nor rejected yet, be it in Redis or in Kafka. */
function measureCoupons(before: Reading, after: Reading, seconds: number): CouponsNow {
  const remaining = gauge(after, 'onrush_coupon_quantity', { state: 'remaining' });
  const issued = gauge(after, 'onrush_coupon_quantity', { state: 'issued' });
  const pending =
    counted(after, 'onrush_coupon_stream_length') + counted(after, 'onrush_consumer_lag', { topic: /\.coupon-issue$/ });
  return {
    sale:
      remaining === null || issued === null ? null : { remaining: Math.max(0, remaining - pending), pending, issued },
    admitted: rounded(growth(before, after, 'onrush_coupon_admissions_total', { result: 'admitted' }) / seconds),
    issuedPerSecond: rounded(growth(before, after, 'onrush_coupons_issued_total', { result: 'issued' }) / seconds),
    lag95: rounded(quantile(observed(before, after, 'onrush_coupon_issue_lag_seconds'), 0.95)),
    gatesClosed: counted(after, 'onrush_coupon_gates_closed'),
    lost: counted(after, 'onrush_coupon_lost_promises_total'),
  };
}

function rounded(value: number, digits?: number): number;
function rounded(value: number | null, digits?: number): number | null;
function rounded(value: number | null, digits = 1): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
