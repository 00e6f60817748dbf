import { budget, node, onrush, prometheus } from './metrics.ts';
import { alongside, count, DASHBOARD, divide, max, orZero, overTime, queries, sum } from './promql.ts';
import { APIS, type Api, FAILED, requestsOf, slo, TITLES, WITHIN } from './slo.ts';
import type { Chart, DashboardSpec, Panel, Stat } from './spec.ts';

const { value, range, rate, rateOfSum, quantile, rateWithin } = queries(DASHBOARD);

const BUDGETS = APIS.flatMap((api) => [`${api} errors`, `${api} latency`]);

const within = (api: Api): Stat => ({
  kind: 'stat',
  title: `${TITLES[api]} within SLO`,
  description: `Share answered within ${slo[api].p95_ms} ms. Below 95 %: look at the longest bar under “Time spent waiting”, then open Lock wait.`,
  width: 4,
  unit: 'percentunit',
  decimals: 1,
  queries: [
    {
      legend: TITLES[api],
      expr: divide(
        sum(rateWithin(slo[api].p95_ms / 1000, onrush.duration, requestsOf(api))),
        sum(rate(onrush.duration, requestsOf(api))),
      ),
    },
  ],
  limits: { attention: 0.98, bad: WITHIN },
  none: 'no requests',
});

const throughput = (api: Api): Chart => ({
  kind: 'chart',
  title: `${TITLES[api]}: requests a second`,
  description: `The line is the published rate, ${slo[api].tps}/s. Below it in a run: the load is smaller, or something is saturated; compare with latency.`,
  width: 8,
  unit: 'reqps',
  queries: [{ legend: 'requests', expr: sum(rate(onrush.duration, requestsOf(api))), colour: 'blue' }],
  limit: { at: slo[api].tps, bad: 'below' },
});

const latency = (api: Api): Chart => ({
  kind: 'chart',
  title: `${TITLES[api]}: latency`,
  description: `p95 above the line (${slo[api].p95_ms} ms) breaks the SLO: open Lock wait to see which queue, pool or row takes the time, or a slow request’s trace.`,
  width: 8,
  unit: 's',
  queries: [
    { legend: 'p50', expr: quantile(0.5, onrush.duration, requestsOf(api)), colour: 'sky' },
    { legend: 'p95', expr: quantile(0.95, onrush.duration, requestsOf(api)), colour: 'blue', exemplars: true },
    { legend: 'p99', expr: quantile(0.99, onrush.duration, requestsOf(api)), colour: 'pink' },
  ],
  limit: { at: slo[api].p95_ms / 1000, bad: 'above' },
});

const now: Panel[] = [
  ...APIS.map(within),
  {
    kind: 'stat',
    title: 'Failed requests',
    description:
      'Share that ended in a 5xx or without an answer. Above 1 %: see “Failures by status” for which API, then the logs of its pods.',
    width: 4,
    unit: 'percentunit',
    decimals: 2,
    queries: [
      {
        legend: 'failed',
        expr: divide(orZero(sum(rate(onrush.duration, { status: FAILED }))), sum(rate(onrush.duration))),
      },
    ],
    limits: { attention: 0.001, bad: 0.01 },
    none: 'no requests',
  },
  {
    kind: 'stat',
    title: 'Requests',
    description:
      'All requests a second. Zero while a run is on: the load does not arrive; look at the edge and at the generator.',
    width: 4,
    unit: 'reqps',
    decimals: 0,
    queries: [{ legend: 'requests', expr: sum(rate(onrush.duration)) }],
  },
  {
    kind: 'stat',
    title: 'Alerts firing',
    description: 'More than none: each alert links to its runbook, which says what to do.',
    width: 4,
    unit: 'short',
    decimals: 0,
    queries: [{ legend: 'alerts', expr: orZero(count(value(prometheus.alerts, { alertstate: 'firing' }))) }],
    limits: { attention: 1, bad: 1 },
  },
];

const holdsBack: Panel[] = [
  {
    kind: 'bars',
    title: 'Time spent waiting',
    description:
      'Seconds that requests wait in each second, by place: the longest bar is what holds everything back. Lock wait shows its course and its remedy.',
    width: 8,
    unit: 's',
    queries: [
      { legend: '{{at}}', expr: sum(rateOfSum(onrush.lockWait), ['at']) },
      { legend: 'coupon gate', expr: sum(rateOfSum(onrush.gate)) },
      // So many wait at a time, which is so many seconds a second.
      {
        legend: 'read pool',
        expr: sum(overTime('avg', range(onrush.pool, { pool: 'read', state: 'waiting' }, '$__rate_interval'))),
      },
    ],
    limits: { attention: 5, bad: 20 },
  },
  {
    kind: 'bars',
    title: 'How full it is',
    description:
      'Fullest process of each kind. Near 100 %: a full pool wants fewer, shorter transactions before more connections; a full core wants another pod.',
    width: 8,
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        legend: 'write connections',
        expr: max(
          divide(
            sum(value(onrush.pool, { pool: 'write', state: 'in_use' }), ['namespace', 'pod']),
            sum(value(onrush.poolSize, { pool: 'write' }), ['namespace', 'pod']),
          ),
        ),
      },
      {
        legend: 'read connections',
        expr: max(
          divide(
            sum(value(onrush.pool, { pool: 'read', state: 'in_use' }), ['namespace', 'pod']),
            sum(value(onrush.poolSize, { pool: 'read' }), ['namespace', 'pod']),
          ),
        ),
      },
      { legend: 'a process’s core', expr: max(alongside(rate(node.cpu), value(onrush.buildInfo))) },
    ],
    limits: { attention: 0.7, bad: 0.9 },
  },
  {
    kind: 'chart',
    height: 7,
    title: 'Backlogs',
    description:
      'Work that was accepted and is not done. A line that only rises: its consumer is slower than its source, or stopped; open Messaging.',
    width: 8,
    unit: 'short',
    queries: [
      { legend: 'combiner queues', expr: sum(value(onrush.queued)), colour: 'blue' },
      { legend: 'promises not in Kafka', expr: sum(value(onrush.streamLength)), colour: 'orange' },
      { legend: 'outbox', expr: max(value(onrush.outboxBacklog, { status: 'PENDING' })), colour: 'green' },
      { legend: 'consumers behind', expr: sum(value(onrush.consumerLag)), colour: 'pink' },
    ],
  },
];

export const overview: DashboardSpec = {
  uid: 'onrush-overview',
  title: 'Onrush / Overview',
  description: 'Whether it is healthy, and what holds it back.',
  rows: [
    { title: 'Now', panels: now },
    { title: 'What holds it back', panels: holdsBack },
    { title: 'The three APIs', panels: [...APIS.map(throughput), ...APIS.map(latency)] },
    {
      title: 'Answers that were no success',
      panels: [
        {
          kind: 'chart',
          title: 'Failures by status',
          description:
            '503 is overload or an engine that is away, 499 a client that went away, 500 a bug: its log line has the trace id.',
          width: 8,
          unit: 'reqps',
          queries: [
            {
              legend: '{{route}} {{status}}',
              expr: sum(rate(onrush.duration, { status: FAILED }), ['route', 'status']),
            },
          ],
          none: 'no failures',
        },
        {
          kind: 'chart',
          title: 'Refusals by code',
          description:
            'Business as usual (C001 sold out, P002 no stock, …), not failures. One that jumps: clients repeat themselves, or a sale has ended.',
          width: 8,
          unit: 'reqps',
          queries: [{ legend: '{{operation}} {{code}}', expr: sum(rate(onrush.refusals), ['operation', 'code']) }],
          none: 'no refusals',
        },
        {
          kind: 'chart',
          title: 'Requests in flight',
          description:
            'By service. It rises when answers take longer than requests come: latency follows, and at 2,000 a process refuses with 503.',
          width: 8,
          unit: 'short',
          queries: [{ legend: '{{service}}', expr: sum(value(onrush.inFlight), ['service']) }],
        },
      ],
    },
    {
      title: 'Error budgets',
      panels: [
        {
          kind: 'chart',
          title: 'Budget spent, over five minutes',
          description:
            'How many times too fast each budget of failed and late requests is being spent. Above 1 for long it will not last its month; look at what has changed.',
          width: 12,
          height: 7,
          unit: 'short',
          queries: [{ legend: '{{api}} {{slo}}', expr: max(value(budget.burn5m), ['api', 'slo']) }],
          names: BUDGETS,
          limit: { at: 14.4, bad: 'above' },
        },
        {
          kind: 'chart',
          title: 'Budget spent, over an hour',
          description: 'Above 14.4 in both panels somebody is called: a month’s budget would be gone in two days.',
          width: 12,
          height: 7,
          unit: 'short',
          queries: [{ legend: '{{api}} {{slo}}', expr: max(value(budget.burn1h), ['api', 'slo']) }],
          names: BUDGETS,
          limit: { at: 14.4, bad: 'above' },
        },
      ],
    },
  ],
};
