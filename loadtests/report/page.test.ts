import { reportPage } from './page.ts';
import type { Results, ScenarioResult } from './results.ts';

const scenario: ScenarioResult = {
  name: 'charge',
  title: 'Balance charges',
  seconds: 30,
  apis: [
    {
      api: 'charge',
      client: { count: 100, perSecond: 3, failed: 0, avg: 4, p50: 3, p90: 6, p95: 7, p99: 9, max: 12 },
      acknowledged: 100,
      acknowledgedPerSecond: 3,
      refused: {},
      errors: { http_503: 2 },
      withinSlo: 0.98,
      published: { p95: 288, tps: 552 },
      timeline: [
        { second: 1, perSecond: 0, p50: null, p95: null },
        { second: 2, perSecond: 3, p50: 3, p95: 7 },
      ],
    },
  ],
  lockWaits: [{ at: 'user_row', count: 100, p50: 0.2, p95: 1, p99: 2 }],
  cpu: { microsecondsPerRequest: 180, cores: 0.1 },
  cores: [{ label: 'k6', cores: 0.2 }],
  rssBytes: 2e8,
  batches: [{ combiner: 'charge', mean: 2 }],
  issueLag: undefined,
  drainSeconds: 0.2,
  dropped: 0,
  thresholds: [{ metric: 'http_req_duration{name:charge}', expression: 'p(95)<288', ok: true }],
  raw: { runs: [{ label: 'sysbench, 16 threads', perSecond: 2 }], best: 2, ratio: 1.5 },
};

const results: Results = {
  version: 1,
  startedAt: '2026-11-23T00:00:00.000Z',
  seconds: 60,
  profile: 'quick',
  users: 2_000,
  baseUrl: 'http://127.0.0.1:8081',
  verdict: 'FAIL',
  reasons: ['wallet-sum: 1 violations'],
  notes: [],
  machine: [{ label: 'CPU', value: '2' }],
  engines: [{ name: 'mysql', version: 'MariaDB 10.11', kind: 'native', durability: { log_bin: 'OFF' } }],
  scenarios: [scenario],
  invariants: {
    verdict: 'FAIL',
    reasons: ['wallet-sum: 1 violations'],
    seconds: 1,
    lostPromises: 0,
    checks: [
      {
        id: 'wallet-sum',
        group: 'Wallets',
        title: 'baseline + charges − payments = balance',
        status: 'violated',
        reason: undefined,
        checked: 2_000,
        violations: 1,
        rows: [{ user_id: '<script>alert(1)</script>', balance: 7 }],
      },
    ],
  },
};

test('offending rows are shown, as text and never as markup', () => {
  const page = reportPage(results);
  expect(page).toContain('&#60;script&#62;alert(1)');
  expect(page).not.toContain('<script');
});

test('the page needs nothing from anywhere else', () => {
  expect(reportPage(results)).not.toMatch(/(src|href)=|@import|url\(/);
});

test('no figure is missing or NaN', () => {
  expect(reportPage(results)).not.toMatch(/NaN|undefined|Infinity|null/);
});

test('what was measured beside Express alone, and the capacity with its knee, stand in the page', () => {
  const step = {
    rate: 100,
    acknowledged: 99,
    p50: 2,
    p99: 6,
    failed: 0,
    held: true,
    cores: [{ label: 'APIs', cores: 0.31 }],
    waits: [],
  };
  const page = reportPage({
    ...results,
    scenarios: [
      {
        ...scenario,
        cpu: { microsecondsPerRequest: 50, cores: 0.5, background: { microsecondsPerRequest: 7.5, cores: 0.1 } },
        bare: { perSecond: 4, microsecondsPerRequest: 100, ratio: 0.75, cpuRatio: 0.4, cpuRatioWithBackground: 1 },
      },
    ],
    capacity: [
      {
        name: 'charge-hot',
        title: 'Charges on 10 wallets',
        steps: [step, { ...step, rate: 150, held: false, p99: 444 }],
        knee: 100,
        limit: 'the core of the API process',
        half: { ...step, rate: 50, p99: 3.3 },
      },
    ],
  });
  expect(page).toContain(
    '0.40× <small>the CPU, so 2.50× the answers for the same CPU, 1.00× with what relaying and consuming take; 0.75× the rate',
  );
  expect(page).toMatch(/background.*7\.50/s);
  expect(page).toMatch(/<td>100<\/td>.*the knee.*<td>150<\/td>.*444.*not held.*<td>50<\/td>.*3\.30.*half of the knee/s);
  expect(page).toContain('100 a second; beyond it the limit is the core of the API process');
  expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
});

test('a run of which nothing is known still has a page that says why', () => {
  const page = reportPage({
    ...results,
    verdict: 'INCONCLUSIVE',
    reasons: ['charge: k6 ended with 107'],
    scenarios: [],
    invariants: undefined,
  });
  expect(page).toContain('k6 ended with 107');
  expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
});
