/** What one k6 run leaves behind: the interface between the scripts and whoever runs them. */
export interface K6Summary {
  /** Length of the whole run in seconds. */
  seconds: number;
  /** Iterations that an executor had no virtual user for. */
  dropped: number;
  /** By name of the API, and `read`. */
  requests: Record<string, K6Requests>;
  /** Counters of business results, as lib/results.ts names them. Those that nothing was added to are absent. */
  counters: Record<string, number>;
  thresholds: { metric: string; expression: string; ok: boolean }[];
}

/** Attempts, repeated ones included; milliseconds. */
export interface K6Requests {
  count: number;
  perSecond: number;
  failed: number;
  avg: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
}

/** The part of k6's end-of-test data that is used here. */
interface SummaryData {
  state: { testRunDurationMs: number };
  metrics: Record<
    string,
    { type: string; values: Record<string, number>; thresholds?: Record<string, { ok: boolean }> }
  >;
}

export function summarize({ state, metrics }: SummaryData): K6Summary {
  const requests: Record<string, K6Requests> = {};
  const counters: Record<string, number> = {};
  const thresholds: K6Summary['thresholds'] = [];
  for (const [metric, { type, values, thresholds: held }] of Object.entries(metrics)) {
    const name = /^http_req_duration\{name:(\w+)\}$/.exec(metric)?.[1];
    if (name) requests[name] = requestsOf(name, metrics);
    if (type === 'counter' && /^(coupon|charge|order)_/.test(metric)) counters[metric] = values.count ?? 0;
    for (const [expression, { ok }] of Object.entries(held ?? {}))
      if (expression !== 'max>=0') thresholds.push({ metric, expression, ok });
  }
  return {
    seconds: state.testRunDurationMs / 1000,
    dropped: metrics.dropped_iterations?.values.count ?? 0,
    requests,
    counters,
    thresholds,
  };
}

function requestsOf(name: string, metrics: SummaryData['metrics']): K6Requests {
  const of = (metric: string, value: string) => metrics[`${metric}{name:${name}}`]?.values[value] ?? 0;
  const duration = (value: string) => of('http_req_duration', value);
  return {
    count: of('http_reqs', 'count'),
    perSecond: of('http_reqs', 'rate'),
    // A Rate's passes are the requests of which it is true that they failed.
    failed: of('http_req_failed', 'passes'),
    avg: duration('avg'),
    p50: duration('med'),
    p90: duration('p(90)'),
    p95: duration('p(95)'),
    p99: duration('p(99)'),
    max: duration('max'),
  };
}

/** The summary for a reader at the terminal. */
export function summaryText({ seconds, requests, counters, thresholds, dropped }: K6Summary): string {
  const cells = [
    ['', 'requests', 'per s', 'avg', 'p50', 'p90', 'p95', 'p99', 'max ms', 'failed'],
    ...Object.entries(requests).map(([name, r]) => [
      name,
      String(r.count),
      r.perSecond.toFixed(1),
      ...[r.avg, r.p50, r.p90, r.p95, r.p99, r.max].map((ms) => ms.toFixed(1)),
      String(r.failed),
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const table = cells.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '));
  return [
    `${seconds.toFixed(1)} s${dropped > 0 ? `, ${dropped} iterations dropped` : ''}`,
    ...table,
    ...Object.entries(counters)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`),
    ...thresholds.map(({ metric, expression, ok }) => `${ok ? 'held  ' : 'BROKEN'} ${metric} ${expression}`),
    '',
  ].join('\n');
}
