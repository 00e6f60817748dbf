import { k6, onrush, run, verifier } from './metrics.ts';
import { DASHBOARD, max, overTime, queries, sum, times } from './promql.ts';
import { APIS, type Api, requestsOf, slo, TITLES } from './slo.ts';
import type { Chart, DashboardSpec, Panel } from './spec.ts';

const { value, rate, quantile, range } = queries(DASHBOARD);

const ONLY_RUNS = 'between runs there is no load generator';

const now: Panel[] = [
  {
    kind: 'table',
    title: 'Runs',
    description:
      'Start, scenarios, faults, end and verdict. FAIL: the bench’s report names the broken target or invariant; INCONCLUSIVE is never a pass.',
    width: 10,
    height: 8,
    unit: 'dateTimeAsIso',
    query: {
      legend: '',
      expr: times(max(overTime('last', range(run.event, {}, '$__range')), ['run', 'event', 'detail']), 1000),
    },
    columns: { run: 'Run', event: 'Event', detail: 'What' },
    value: 'When',
    mayBeEmpty: ONLY_RUNS,
  },
  {
    kind: 'chart',
    title: 'Virtual users',
    description:
      'Those that k6 plays. The load’s shape: what follows it in the panels below is load, what does not is the system.',
    width: 8,
    unit: 'short',
    queries: [{ legend: '{{scenario}}', expr: sum(value(k6.vus), ['scenario']) }],
    names: ['coupon', 'charge', 'order', 'journey', 'spike'],
    mayBeEmpty: ONLY_RUNS,
  },
  {
    kind: 'chart',
    title: 'Failed, as k6 counts it',
    description:
      'Share of requests without a usable answer. Above 1 % breaks the run; compare with failures in the Overview: those not seen there never arrived.',
    width: 6,
    unit: 'percentunit',
    queries: [{ legend: '{{name}}', expr: max(value(k6.failedShare), ['name']) }],
    names: [...APIS],
    limit: { at: 0.01, bad: 'above' },
    mayBeEmpty: ONLY_RUNS,
  },
];

const throughput = (api: Api): Chart => ({
  kind: 'chart',
  title: `${TITLES[api]}: rate at both ends`,
  description: `What k6 sends and what the server answers; the line is the baseline of ${slo[api].tps}/s. They differ: requests are lost or queue up on the way.`,
  width: 8,
  unit: 'reqps',
  queries: [
    { legend: 'k6', expr: sum(rate(k6.requests, { name: api })), colour: 'orange' },
    { legend: 'server', expr: sum(rate(onrush.duration, requestsOf(api))), colour: 'blue' },
  ],
  limit: { at: slo[api].tps, bad: 'below' },
});

const latency = (api: Api): Chart => ({
  kind: 'chart',
  title: `${TITLES[api]}: p95 at both ends`,
  description: `k6’s figure is of the whole run so far. Far above the server’s: the generator or the way to it is slow, not the API. The line is the SLO, ${slo[api].p95_ms} ms.`,
  width: 8,
  unit: 's',
  queries: [
    { legend: 'k6', expr: max(value(k6.p95, { name: api })), colour: 'orange' },
    { legend: 'server', expr: quantile(0.95, onrush.duration, requestsOf(api)), colour: 'blue' },
  ],
  limit: { at: slo[api].p95_ms / 1000, bad: 'above' },
});

const judged: Panel[] = [
  {
    kind: 'stat',
    title: 'Invariants',
    description:
      'Rows that break one, at the verifier’s last look. Any: OnrushInvariantViolated; stop what writes and keep the evidence.',
    width: 6,
    height: 8,
    unit: 'locale',
    queries: [{ legend: 'violations', expr: sum(max(value(verifier.violations), ['check'])) }],
    limits: { attention: 1, bad: 1 },
    words: { 0: { text: 'hold', colour: 'green' } },
    none: 'no verifier runs',
    mayBeEmpty: 'the periodic verifier is optional',
  },
  {
    kind: 'stat',
    title: 'Time of a look',
    description: 'How long the verifier’s checks took. Minutes: indexes are missing, or it competes with the load.',
    width: 6,
    height: 8,
    unit: 's',
    queries: [{ legend: 'seconds', expr: max(value(verifier.duration)) }],
    none: 'no verifier runs',
    mayBeEmpty: 'the periodic verifier is optional',
  },
  {
    kind: 'table',
    title: 'Checks',
    description: 'Violations by invariant; docs/verification.md says what each one compares.',
    width: 12,
    height: 8,
    unit: 'locale',
    query: { legend: '', expr: max(value(verifier.violations), ['namespace', 'check']) },
    columns: { namespace: 'Namespace', check: 'Invariant' },
    value: 'Violations',
    mayBeEmpty: 'the periodic verifier is optional',
  },
];

export const loadTest: DashboardSpec = {
  uid: 'onrush-load-test',
  title: 'Onrush / Load test',
  description: 'What the load generator sees beside what the server sees, and the verdict.',
  rows: [
    { title: 'The run', panels: now },
    { title: 'Both ends', panels: [...APIS.map(throughput), ...APIS.map(latency)] },
    { title: 'What the database says', panels: judged },
  ],
};
