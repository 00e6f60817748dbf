import { BUCKET_EDGES, bucketOf } from '../../k6/lib/buckets.ts';
import type { K6Requests, K6Summary } from '../../k6/lib/summary.ts';
import { quantile } from '../exposition.ts';

/**
 * One summary of several runners that shared a load. Counts and rates add up; a threshold holds if it held on each, for each
 * was given its part of the rate, and a share that holds on all parts holds on the whole. Percentiles are those of the added
 * buckets: the true ones lie within the same bucket. Those of `read`, which has no buckets, are the worst runner's.
 */
export function mergeSummaries(summaries: K6Summary[]): K6Summary {
  const counters = add(summaries.map(({ counters }) => counters));
  const names = [...new Set(summaries.flatMap(({ requests }) => Object.keys(requests)))];
  const thresholds = new Map<string, K6Summary['thresholds'][number]>();
  for (const threshold of summaries.flatMap(({ thresholds }) => thresholds)) {
    const key = `${threshold.metric} ${threshold.expression}`;
    thresholds.set(key, { ...threshold, ok: threshold.ok && (thresholds.get(key)?.ok ?? true) });
  }
  return {
    seconds: Math.max(...summaries.map(({ seconds }) => seconds)),
    dropped: total(summaries.map(({ dropped }) => dropped)),
    requests: Object.fromEntries(
      names.map((name) => [
        name,
        mergeRequests(
          summaries.flatMap(({ requests }) => requests[name] ?? []),
          bucketsOf(name, counters),
        ),
      ]),
    ),
    counters: Object.fromEntries(Object.entries(counters).filter(([name]) => !/_bucket_\d+$/.test(name))),
    thresholds: [...thresholds.values()],
  };
}

type Buckets = { le: number; count: number }[];

/** How many attempts took at most so many milliseconds. */
function bucketsOf(name: string, counters: Record<string, number>): Buckets {
  let below = 0;
  return [...BUCKET_EDGES, Number.POSITIVE_INFINITY].map((le, index) => {
    below += counters[bucketOf(name, index)] ?? 0;
    return { le, count: below };
  });
}

function mergeRequests(parts: K6Requests[], buckets: Buckets): K6Requests {
  const sum = (field: keyof K6Requests) => total(parts.map((part) => part[field]));
  const worst = (field: keyof K6Requests) => Math.max(0, ...parts.map((part) => part[field]));
  const count = sum('count');
  const counted = buckets.at(-1)?.count ?? 0;
  const percentile = (field: keyof K6Requests, q: number) =>
    counted === 0 ? worst(field) : Math.min(worst('max'), quantile({ count: counted, sum: 0, buckets }, q) ?? 0);
  return {
    count,
    perSecond: sum('perSecond'),
    failed: sum('failed'),
    avg: count === 0 ? 0 : total(parts.map((part) => part.avg * part.count)) / count,
    p50: percentile('p50', 0.5),
    p90: percentile('p90', 0.9),
    p95: percentile('p95', 0.95),
    p99: percentile('p99', 0.99),
    max: worst('max'),
  };
}

function add(parts: Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of parts.flatMap(Object.entries<number>)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

const total = (numbers: number[]): number => numbers.reduce((sum, n) => sum + n, 0);
