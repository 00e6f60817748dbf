import fc from 'fast-check';
import { BUCKET_EDGES, bucketIndex, bucketOf } from '../../k6/lib/buckets.ts';
import type { K6Summary } from '../../k6/lib/summary.ts';
import { mergeSummaries } from './merge.ts';
import { summaryIn } from './runners.ts';

/** What a runner would tell of these attempts, in milliseconds, within so many seconds. */
function runner(attempts: number[], seconds: number, held = true): K6Summary {
  const counters: Record<string, number> = { charge_sent: attempts.length };
  for (const ms of attempts) {
    const bucket = bucketOf('charge', bucketIndex(ms));
    counters[bucket] = (counters[bucket] ?? 0) + 1;
  }
  const sorted = [...attempts].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return {
    seconds,
    dropped: 1,
    requests: {
      charge: {
        count: attempts.length,
        perSecond: attempts.length / seconds,
        failed: 2,
        avg: attempts.reduce((sum, ms) => sum + ms, 0) / attempts.length,
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max: sorted.at(-1) ?? 0,
      },
    },
    counters,
    thresholds: [{ metric: 'http_req_duration{name:charge}', expression: 'p(95)<288', ok: held }],
  };
}

const attempts = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { minLength: 1, maxLength: 300 });

test('counts, rates and dropped iterations of runners add up; the longest tells the length', () => {
  const merged = mergeSummaries([runner([10, 20, 30], 10), runner([40], 5)]);
  expect(merged).toMatchObject({ seconds: 10, dropped: 2, counters: { charge_sent: 4 } });
  expect(merged.requests.charge).toMatchObject({ count: 4, perSecond: 0.3 + 0.2, failed: 4, avg: 25, max: 40 });
});

test('a percentile lies in the bucket of the true one, however the attempts fell to the runners', () => {
  fc.assert(
    fc.property(attempts, attempts, fc.constantFrom('p50', 'p90', 'p95', 'p99'), (one, other, field) => {
      const all = [...one, ...other].sort((a, b) => a - b);
      const q = Number(field.slice(1)) / 100;
      const truth = all[Math.max(0, Math.ceil(q * all.length - 1e-9) - 1)] ?? 0;
      const merged = mergeSummaries([runner(one, 1), runner(other, 1)]).requests.charge?.[field as 'p50'] ?? -1;
      const bucket = bucketIndex(truth);
      expect(merged).toBeGreaterThanOrEqual(bucket === 0 ? 0 : (BUCKET_EDGES[bucket - 1] ?? 0));
      expect(merged).toBeLessThanOrEqual(BUCKET_EDGES[bucket] ?? Number.POSITIVE_INFINITY);
    }),
  );
});

test('the mean of the runners’ percentiles would have been wrong', () => {
  const fast = runner(Array(99).fill(4), 1);
  const slow = runner(Array(901).fill(400), 1);
  expect(mergeSummaries([fast, slow]).requests.charge?.p50).toBeGreaterThan(288);
});

test('a threshold that broke on one runner is broken', () => {
  expect(mergeSummaries([runner([1], 1), runner([1], 1, false)]).thresholds).toEqual([
    { metric: 'http_req_duration{name:charge}', expression: 'p(95)<288', ok: false },
  ]);
});

test('the buckets do not reach the verifier’s counters', () => {
  expect(Object.keys(mergeSummaries([runner([1, 300], 1)]).counters)).toEqual(['charge_sent']);
});

test('the summary is found in a log among k6’s own lines', () => {
  const summary = runner([5], 1);
  const log = `time="…" level=info msg="Starting"\nrunning\n${JSON.stringify(summary)}\n`;
  expect(summaryIn(log)).toEqual(summary);
  expect(summaryIn('time="…" level=error msg="killed"\n')).toBeUndefined();
});
