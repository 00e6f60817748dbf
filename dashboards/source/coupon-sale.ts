import { ADMISSIONS } from '../../services/core/metrics.ts';
import { onrush } from './metrics.ts';
import { DASHBOARD, divide, max, orZero, queries, sum } from './promql.ts';
import type { DashboardSpec, Panel } from './spec.ts';

const { value, rate, increase, rateOfSum, quantile } = queries(DASHBOARD);

const quantity = (state: 'issued' | 'remaining') => max(value(onrush.couponQuantity, { state }));

const now: Panel[] = [
  {
    kind: 'stat',
    title: 'Remaining',
    description: 'Coupons of all running sales that nobody has yet. Zero: sold out, refusals with C001 are right.',
    width: 4,
    unit: 'locale',
    queries: [{ legend: 'remaining', expr: quantity('remaining') }],
  },
  {
    kind: 'stat',
    title: 'Issued',
    description:
      'Coupons in the database. Stands still while admissions go on: see the three rates below for who is late.',
    width: 4,
    unit: 'locale',
    queries: [{ legend: 'issued', expr: quantity('issued') }],
  },
  {
    kind: 'stat',
    title: 'Promise to coupon (p95)',
    description: 'From the 202 to the committed coupon. Above 5 s: gatekeeper or consumer is behind; see the backlog.',
    width: 4,
    unit: 's',
    queries: [{ legend: 'lag', expr: quantile(0.95, onrush.issueLag) }],
    limits: { attention: 2, bad: 5 },
    none: 'none issued',
  },
  {
    kind: 'stat',
    title: 'Gates',
    description:
      'Closed: Redis restarted or lost data and the gate is being rebuilt; requests get 503 until then. Longer than seconds: OnrushGateClosed.',
    width: 4,
    unit: 'short',
    queries: [{ legend: 'closed', expr: orZero(max(value(onrush.gatesClosed))) }],
    limits: { attention: 1, bad: 1 },
    words: { 0: { text: 'open', colour: 'green' } },
  },
  {
    kind: 'stat',
    title: 'Gatekeeper',
    description: 'Exactly one process leads. None: promises are not relayed; see OnrushNoGatekeeper in the runbooks.',
    width: 4,
    unit: 'short',
    queries: [{ legend: 'leaders', expr: sum(value(onrush.leader)) }],
    words: {
      0: { text: 'nobody', colour: 'vermilion' },
      1: { text: 'leads', colour: 'green' },
    },
  },
  {
    kind: 'stat',
    title: 'Lost promises',
    description:
      'Found in rebuilds within the chosen time. Any: Redis lost writes that were promised; see OnrushLostPromises.',
    width: 4,
    unit: 'short',
    decimals: 0,
    queries: [{ legend: 'lost', expr: sum(increase(onrush.lostPromises, {}, '$__range')) }],
    limits: { attention: 1, bad: 1 },
  },
];

const gate: Panel[] = [
  {
    kind: 'chart',
    title: 'What the gate answers',
    description:
      'not_loaded is a closed gate, sold_out and already are business. Many replayed: clients repeat requests whose answers they did not get.',
    width: 12,
    unit: 'reqps',
    stacked: true,
    names: ADMISSIONS,
    queries: [{ legend: '{{result}}', expr: sum(rate(onrush.admissions), ['result']) }],
  },
  {
    kind: 'chart',
    title: 'Promised, relayed, issued',
    description:
      'The three rates follow each other. Relayed below promised: gatekeeper or Kafka; issued below relayed: consumer or MySQL.',
    width: 12,
    unit: 'ops',
    queries: [
      { legend: 'promised', expr: sum(rate(onrush.admissions, { result: 'admitted' })), colour: 'blue' },
      { legend: 'relayed', expr: sum(rate(onrush.relayed)), colour: 'orange' },
      { legend: 'issued', expr: sum(rate(onrush.issued, { result: 'issued' })), colour: 'green' },
    ],
  },
  {
    kind: 'chart',
    title: 'Time at the gate',
    description:
      'One script in Redis and the way there. It rises with Redis’s fsyncs (appendfsync always) and its CPU: see Engines and pods.',
    width: 8,
    unit: 's',
    queries: [
      { legend: 'p50', expr: quantile(0.5, onrush.gate), colour: 'sky' },
      { legend: 'p95', expr: quantile(0.95, onrush.gate), colour: 'blue' },
      { legend: 'p99', expr: quantile(0.99, onrush.gate), colour: 'pink' },
    ],
  },
  {
    kind: 'chart',
    title: 'Promise to coupon',
    description:
      'How long a promised user waits for the coupon. It grows while a drop is faster than it is settled, and falls again by itself.',
    width: 8,
    unit: 's',
    queries: [
      { legend: 'p50', expr: quantile(0.5, onrush.issueLag), colour: 'sky' },
      { legend: 'p95', expr: quantile(0.95, onrush.issueLag), colour: 'blue' },
      { legend: 'p99', expr: quantile(0.99, onrush.issueLag), colour: 'pink' },
    ],
    limit: { at: 5, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Promises that are not coupons yet',
    description: 'Only rising: whoever empties it has stopped; stream is the gatekeeper’s, topic the consumer’s.',
    width: 8,
    unit: 'short',
    queries: [
      { legend: 'stream in Redis', expr: sum(value(onrush.streamLength)), colour: 'orange' },
      { legend: '{{group}}', expr: sum(value(onrush.consumerLag), ['group']) },
    ],
  },
];

const settled: Panel[] = [
  {
    kind: 'chart',
    title: 'Settled messages',
    description:
      'rejected: no such user, or no coupon left; dropped: of a sale that was made anew. A jump of rejected: made-up user ids.',
    width: 8,
    unit: 'ops',
    names: ['issued', 'rejected', 'dropped'],
    queries: [{ legend: '{{result}}', expr: sum(rate(onrush.issued), ['result']) }],
  },
  {
    kind: 'chart',
    title: 'Gates rebuilt',
    description:
      'In the chosen time. One at the start of a sale is normal; again and again: Redis restarts, or an admin changes totals.',
    width: 8,
    unit: 'short',
    queries: [{ legend: 'rebuilds', expr: sum(increase(onrush.rebuilds, {}, '$__rate_interval')), colour: 'blue' }],
  },
  {
    kind: 'chart',
    title: 'Rebuild time (average)',
    description:
      'How long a gate was closed. It waits for everything promised to be settled: a consumer that is behind keeps it closed.',
    width: 8,
    unit: 's',
    queries: [
      {
        legend: 'closed for',
        expr: divide(sum(rateOfSum(onrush.rebuild, {}, '$__range')), sum(rate(onrush.rebuild, {}, '$__range'))),
        colour: 'blue',
      },
    ],
    mayBeEmpty: 'no gate may have been rebuilt in the chosen time',
  },
];

export const couponSale: DashboardSpec = {
  uid: 'onrush-coupon-sale',
  title: 'Onrush / Coupon sale',
  description: 'A drop from promise to coupon.',
  rows: [
    { title: 'Now', panels: now },
    { title: 'From the gate to the coupon', panels: gate },
    { title: 'Settling and rebuilding', panels: settled },
  ],
};
