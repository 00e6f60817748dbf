import type { Results } from '../report/results.ts';
import { type Entry, entryOf, lastCommit } from './ledger.ts';
import { trendsPage } from './trends-page.ts';

const results = {
  startedAt: '2026-11-24T12:00:00.000Z',
  verdict: 'PASS',
  engines: [{ name: 'mysql', version: 'MariaDB 10.11' }],
  scenarios: [
    {
      name: 'charge-hot',
      rounds: [{ perSecond: 100 }, { perSecond: 110 }, { perSecond: 90 }],
      apis: [{ acknowledgedPerSecond: 100, client: { p99: 12.345 } }],
      raw: { best: 50, ratio: 2, runs: [] },
      bare: { perSecond: 400, microsecondsPerRequest: 100, ratio: 0.25, cpuRatio: 1.2, cpuRatioWithBackground: 1 },
      cpu: { microsecondsPerRequest: 120, cores: 0.5 },
    },
    { name: 'coupon', apis: [{ acknowledgedPerSecond: 70, client: { p99: 1 } }], raw: undefined, cpu: undefined },
  ],
} as unknown as Results;

test('an entry holds medians, spread and ratios of the run', () => {
  expect(entryOf('abc', results)).toMatchObject({
    commit: 'abc',
    verdict: 'PASS',
    scenarios: {
      'charge-hot': {
        rounds: 3,
        perSecond: 100,
        spread: 0.2,
        ratioToRaw: 2,
        ratioToBare: 0.25,
        cpuToBare: 1.2,
        p99: 12.3,
      },
      coupon: { rounds: 1, perSecond: 70, spread: 0, ratioToRaw: null, ratioToBare: null, cpuToBare: null },
    },
  });
});

test('what is compared with is the last entry whose program a commit holds', () => {
  const entry = (commit: string) => ({ ...entryOf(commit, results) }) satisfies Entry;
  expect(lastCommit([entry('a'), entry('b'), entry('c+')])).toBe('b');
  expect(() => lastCommit([entry('c+')])).toThrow('no commit to compare with');
});

test('the page of trends names every entry, and escapes what it shows', () => {
  const entry = entryOf('<b>1234567', results);
  const page = trendsPage([entry, { ...entry, commit: 'second' }]);
  expect(page).toContain('Charges on 10 wallets');
  expect(page).toContain('&#60;b&#62;1234567');
  expect(page).not.toContain('<b>1234567');
  expect(page).toContain('second');
});
