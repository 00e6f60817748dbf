import { ERROR_CLASSES } from '../k6/lib/errors.ts';
import type { ApiName, Slo } from '../k6/lib/slo.ts';
import type { K6Requests, K6Summary } from '../k6/lib/summary.ts';
import type { ApiResult, LockWait, ScenarioResult } from '../report/results.ts';
import { growth, labelValues, observed, quantile, type Reading, sum } from './exposition.ts';
import type { Scenario } from './scenarios.ts';
import { CPU, REQUESTS, serverErrors, type Watched } from './watch.ts';

/** Whatever else ran on the machine: what it took, the figures lack. */
export const OTHERS = 'other programs';
/** What the host of a virtual machine gave to other machines while this one wanted to run. */
export const STOLEN = 'taken by the host';

/** Readings of the server's metrics: before the load, when it ended, and when its queues were empty. */
export interface Readings {
  before: Reading;
  after: Reading;
  drained: Reading;
}

/** Joins what the clients saw with what the server counted. */
export function gather(
  name: string,
  scenario: Pick<Scenario, 'title' | 'apis'>,
  slo: Record<ApiName, Slo>,
  summary: K6Summary,
  watched: Watched,
  readings: Readings | undefined,
): Omit<ScenarioResult, 'raw' | 'drainSeconds'> {
  return {
    name,
    title: scenario.title,
    seconds: summary.seconds,
    apis: scenario.apis.map((api) => apiResult(api, slo[api], summary, watched, readings)),
    lockWaits: readings ? lockWaits(readings) : [],
    cpu: readings && cpu(readings, summary.seconds),
    cores: coresBy(watched, readings, summary.seconds),
    rssBytes: watched.peakRssBytes || undefined,
    batches: readings ? batches(readings) : [],
    issueLag: readings && issueLag(readings),
    dropped: summary.dropped,
    thresholds: summary.thresholds,
    resources: watched.resources,
  };
}

const nothing: K6Requests = { count: 0, perSecond: 0, failed: 0, avg: 0, p50: 0, p90: 0, p95: 0, p99: 0, max: 0 };

function apiResult(
  api: ApiName,
  { route, p95_ms, tps }: Slo,
  { counters, requests, seconds }: K6Summary,
  watched: Watched,
  readings: Readings | undefined,
): ApiResult {
  const acknowledged = counters[`${api}_acknowledged`] ?? 0;
  const counted = (prefix: string) =>
    Object.fromEntries(
      Object.entries(counters)
        .filter(([name, count]) => name.startsWith(prefix) && count > 0)
        .map(([name, count]) => [name.slice(prefix.length), count]),
    );
  const errors = counted(`${api}_error_`);
  const unexpected = counters[`${api}_unexpected`] ?? 0;
  return {
    api,
    client: requests[api] ?? nothing,
    acknowledged,
    acknowledgedPerSecond: acknowledged / seconds,
    refused: counted(`${api}_refused_`),
    errors: {
      ...Object.fromEntries(ERROR_CLASSES.filter((kind) => errors[kind]).map((kind) => [kind, errors[kind] ?? 0])),
      ...(unexpected > 0 ? { unexpected } : {}),
    },
    withinSlo: readings && withinSlo(readings, route, p95_ms / 1000),
    published: { p95: p95_ms, tps },
    timeline: watched.timelines[api] ?? [],
  };
}

/** The target is an edge of the histogram, so this share is counted and not estimated. */
function withinSlo({ before, after }: Readings, route: string, edge: number): number | undefined {
  const all = observed(before, after, REQUESTS, { method: 'POST', route });
  if (all.count === 0) return undefined;
  const within = all.buckets.find(({ le }) => le === edge)?.count;
  // A 5xx is no answer in time, however fast; counting all of them as fast errs on the strict side.
  return within && Math.max(0, within - serverErrors(before, after, route)) / all.count;
}

function lockWaits({ before, after }: Readings): LockWait[] {
  return labelValues(after, 'onrush_lock_wait_seconds_count', 'at').flatMap((at) => {
    const waits = observed(before, after, 'onrush_lock_wait_seconds', { at });
    const ms = (q: number) => (quantile(waits, q) ?? 0) * 1000;
    return waits.count > 0 ? [{ at, count: waits.count, p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) }] : [];
  });
}

/** CPU of those that answer requests, and apart from it of those that only relay and consume, over all requests answered. */
function cpu({ before, after }: Readings, seconds: number): ScenarioResult['cpu'] {
  const answered = growth(before, after, `${REQUESTS}_count`);
  if (answered === 0) return undefined;
  const of = (used: number) => ({ microsecondsPerRequest: (used / answered) * 1e6, cores: used / seconds });
  const background = growth(before, after, CPU, { work: 'background' });
  return { ...of(growth(before, after, CPU) - background), ...(background > 0 && { background: of(background) }) };
}

/** The programs' own counters know all their processes. */
function coresBy(
  { cores: { by, all, stolen } }: Watched,
  readings: Readings | undefined,
  seconds: number,
): ScenarioResult['cores'] {
  const used = readings && cpu(readings, seconds);
  const ours = { ...(used && { APIs: used.cores }), ...(used?.background && { background: used.background.cores }) };
  const known = Object.entries({ ...ours, ...by });
  const named = known.map(([label, cores]) => ({ label, cores }));
  if (Object.keys(by).length < 2) return named;
  const rest = all - known.reduce((sum, [, cores]) => sum + cores, 0);
  const others = { label: OTHERS, cores: Math.max(0, rest) };
  return [...named, others, ...(stolen >= 0.01 ? [{ label: STOLEN, cores: stolen }] : [])];
}

function batches({ before, after }: Readings) {
  return labelValues(after, 'onrush_combiner_batch_size_count', 'combiner').flatMap((combiner) => {
    const { count, sum: requests } = observed(before, after, 'onrush_combiner_batch_size', { combiner });
    return count > 0 ? [{ combiner, mean: requests / count }] : [];
  });
}

function issueLag({ before, drained }: Readings) {
  if (sum(drained, 'onrush_coupon_issue_lag_seconds_count') === 0) return undefined;
  const lag = observed(before, drained, 'onrush_coupon_issue_lag_seconds');
  if (lag.count === 0) return undefined;
  const ms = (q: number) => (quantile(lag, q) ?? 0) * 1000;
  return { count: lag.count, p50: ms(0.5), p99: ms(0.99) };
}
