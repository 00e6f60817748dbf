import cluster from 'node:cluster';
import type { Registry } from 'prom-client';

/** What the page is made of. */
export const METRICS = [
  'onrush_http_request_duration_seconds',
  'onrush_http_requests_in_flight',
  'onrush_lock_wait_seconds',
  'onrush_coupon_gate_duration_seconds',
  'onrush_transaction_duration_seconds',
  'onrush_combiner_batch_size',
  'onrush_combiner_queue',
  'onrush_pool_connections',
  'onrush_pool_size',
  'onrush_coupon_admissions_total',
  'onrush_coupons_issued_total',
  'onrush_coupon_issue_lag_seconds',
  'onrush_coupon_stream_length',
  'onrush_coupon_quantity',
  'onrush_coupon_gates_closed',
  'onrush_coupon_lost_promises_total',
  'onrush_gatekeeper_leader',
  'onrush_outbox_backlog',
  'onrush_outbox_oldest_age_seconds',
  'onrush_consumer_lag',
  'onrush_dead_letters_total',
] as const;
export type MetricName = (typeof METRICS)[number];
const WANTED: ReadonlySet<string> = new Set(METRICS.flatMap((name) => [name, ...suffixed(name)]));

type Labels = Record<string, string>;
interface Series {
  labels: Labels;
  value: number;
}

/** The metrics at one moment. */
export type Reading = Map<string, Series[]>;

/**
 * Reads what the page needs and no more: alone, a process asks only these metrics, so that those of Node that begin anew
 * whenever they are read stay Prometheus's. Several processes on one port are gathered as for /metrics.
 */
export function readingOf(registry: Registry, all: () => Promise<string>): () => Promise<Reading> {
  const own = async () => {
    const texts = await Promise.all(
      METRICS.filter((name) => registry.getSingleMetric(name)).map((name) => registry.getSingleMetricAsString(name)),
    );
    return texts.join('\n');
  };
  return async () => parse(await (cluster.isWorker ? all() : own()));
}

/** Of Prometheus' text format, the series that are wanted. */
export function parse(text: string): Reading {
  const reading: Reading = new Map();
  for (const line of text.split('\n')) {
    const end = line.search(/[{ ]/);
    const name = line.slice(0, end);
    if (!WANTED.has(name)) continue;
    const labels: Labels = {};
    for (const [, label, value] of line.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) if (label) labels[label] = value ?? '';
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    const series = reading.get(name);
    if (series) series.push({ labels, value });
    else reading.set(name, [{ labels, value }]);
  }
  return reading;
}

function suffixed(name: string): string[] {
  return ['_bucket', '_sum', '_count'].map((suffix) => name + suffix);
}

/** Which series are meant: each label equals the text, or fits the pattern. */
export type Which = Record<string, string | RegExp>;

const fits = (labels: Labels, which: Which): boolean =>
  Object.entries(which).every(([name, wanted]) =>
    typeof wanted === 'string' ? labels[name] === wanted : wanted.test(labels[name] ?? ''),
  );

const total = (reading: Reading, name: string, which: Which): number =>
  (reading.get(name) ?? []).reduce((sum, { labels, value }) => sum + (fits(labels, which) ? value : 0), 0);

/** The sum of a metric's series, or null where there are none. */
export function gauge(reading: Reading, name: MetricName, which: Which = {}): number | null {
  const some = reading.get(name)?.some(({ labels }) => fits(labels, which));
  return some ? total(reading, name, which) : null;
}

export const counted = (reading: Reading, name: MetricName, which: Which = {}): number => total(reading, name, which);

/** What a counter grew by. A process that ended takes its counts along: that is no growth either. */
export const growth = (before: Reading, after: Reading, name: MetricName, which: Which = {}): number =>
  Math.max(0, total(after, name, which) - total(before, name, which));

/** Observations between two readings; `buckets` how many were at most `le`, edges rising, the last Infinity. */
export interface Observed {
  count: number;
  sum: number;
  buckets: { le: number; count: number }[];
}

export function observed(before: Reading, after: Reading, name: MetricName, which: Which = {}): Observed {
  const difference = (suffix: string) =>
    Math.max(0, total(after, name + suffix, which) - total(before, name + suffix, which));
  const edges = new Map<number, number>();
  for (const [reading, sign] of [[after, 1] as const, [before, -1] as const])
    for (const { labels, value } of reading.get(`${name}_bucket`) ?? []) {
      if (!fits(labels, which)) continue;
      const le = Number((labels.le ?? '').replace('+Inf', 'Infinity'));
      edges.set(le, (edges.get(le) ?? 0) + sign * value);
    }
  return {
    count: difference('_count'),
    sum: difference('_sum'),
    buckets: [...edges].sort(([a], [b]) => a - b).map(([le, count]) => ({ le, count: Math.max(0, count) })),
  };
}

/** The q-quantile in milliseconds, spread evenly within its bucket as PromQL does it; above the last edge, that edge. */
export function quantile({ count, buckets }: Observed, q: number): number | null {
  if (count === 0) return null;
  const rank = q * count;
  let lower = 0;
  let below = 0;
  for (const { le, count: atMost } of buckets) {
    if (atMost >= rank) {
      if (le === Number.POSITIVE_INFINITY || atMost === below) break;
      return 1000 * (lower + ((le - lower) * (rank - below)) / (atMost - below));
    }
    lower = le;
    below = atMost;
  }
  return 1000 * lower;
}

/** How many were at most `milliseconds`, which is an edge. */
export function within({ buckets }: Observed, milliseconds: number): number {
  return buckets.findLast(({ le }) => le * 1000 <= milliseconds + 1e-6)?.count ?? 0;
}
