import { onrush } from './metrics.ts';
import { DASHBOARD, divide, like, queries, sum } from './promql.ts';
import { requestsOf } from './slo.ts';
import type { DashboardSpec, Panel, Stat } from './spec.ts';

const { rate, increase, quantile } = queries(DASHBOARD);

const money = (title: string, flow: 'charged' | 'paid' | 'discounted', description: string): Stat => ({
  kind: 'stat',
  title,
  description,
  width: 6,
  unit: 'currencyKRW',
  queries: [{ legend: flow, expr: sum(increase(onrush.won, { flow }, '$__range')) }],
});

const success = like('2..');

const now: Panel[] = [
  money(
    'Charged',
    'charged',
    'Won charged to wallets in the chosen time. It must agree with the payment provider’s books.',
  ),
  money(
    'Paid',
    'paid',
    'Won paid from wallets for orders. More than charged plus what wallets held is impossible: see the verifier.',
  ),
  money(
    'Given as discount',
    'discounted',
    'Won that coupons took off orders. A jump: a coupon with the wrong value is on sale.',
  ),
  {
    kind: 'stat',
    title: 'Orders',
    description: 'Placed in the chosen time. None while carts are filled: see refusals by code.',
    width: 6,
    unit: 'locale',
    decimals: 0,
    queries: [
      {
        legend: 'orders',
        expr: sum(increase(onrush.duration, { ...requestsOf('order'), status: success }, '$__range')),
      },
    ],
  },
];

const flows: Panel[] = [
  {
    kind: 'chart',
    title: 'Charges and orders a second',
    description: 'Successful ones. They fall while requests do not: see refusals, then failures in the Overview.',
    width: 8,
    unit: 'ops',
    queries: [
      {
        legend: 'charges',
        expr: sum(rate(onrush.duration, { ...requestsOf('charge'), status: success })),
        colour: 'blue',
      },
      {
        legend: 'orders',
        expr: sum(rate(onrush.duration, { ...requestsOf('order'), status: success })),
        colour: 'orange',
      },
    ],
  },
  {
    kind: 'chart',
    title: 'Won a second',
    description: 'Money in (charged), out (paid) and let off (discounted).',
    width: 8,
    unit: 'currencyKRW',
    queries: [{ legend: '{{flow}}', expr: sum(rate(onrush.won), ['flow']) }],
    names: ['charged', 'paid', 'discounted'],
  },
  {
    kind: 'chart',
    title: 'Won for an order (average)',
    description: 'Paid, divided by orders. A sudden change: prices, discounts or carts are not what they were.',
    width: 8,
    unit: 'currencyKRW',
    queries: [
      {
        legend: 'paid',
        expr: divide(
          sum(rate(onrush.won, { flow: 'paid' })),
          sum(rate(onrush.duration, { ...requestsOf('order'), status: success })),
        ),
        colour: 'blue',
      },
    ],
  },
];

const refused: Panel[] = [
  {
    kind: 'chart',
    title: 'Orders refused, by code',
    description:
      'P002 out of stock, PAY001 too little balance, O409 another order of the user runs, C00x its coupon. They are answers, not failures.',
    width: 8,
    unit: 'reqps',
    queries: [
      {
        legend: '{{code}}',
        expr: sum(rate(onrush.refusals, { operation: 'placeOrder' }), ['code']),
      },
    ],
    none: 'none refused',
  },
  {
    kind: 'chart',
    title: 'Charges refused, by code',
    description: 'U001 no such user, I422 a key with another amount. Many I422: a client makes its keys wrongly.',
    width: 8,
    unit: 'reqps',
    queries: [{ legend: '{{code}}', expr: sum(rate(onrush.refusals, { operation: 'charge' }), ['code']) }],
    none: 'none refused',
  },
  {
    kind: 'chart',
    title: 'Answers given again',
    description:
      'For an Idempotency-Key that was known. Many: clients do not get their first answers in time; look at latency and at the network.',
    width: 8,
    unit: 'reqps',
    queries: [{ legend: '{{operation}}', expr: sum(rate(onrush.replays), ['operation']) }],
    none: 'none repeated',
  },
];

const reads: Panel[] = [
  {
    kind: 'chart',
    title: 'Reads a second',
    description: 'By route. A route that jumps is a client that polls.',
    width: 12,
    unit: 'reqps',
    queries: [
      { legend: '{{route}}', expr: sum(rate(onrush.duration, { method: 'GET', route: like('/api/.+') }), ['route']) },
    ],
    none: 'no reads',
  },
  {
    kind: 'chart',
    title: 'Reads: latency (p95)',
    description:
      'By route. Slow together: the read pool or MySQL; one alone: its query lacks an index for the data it meets.',
    width: 12,
    unit: 's',
    queries: [
      {
        legend: '{{route}}',
        expr: quantile(0.95, onrush.duration, { method: 'GET', route: like('/api/.+') }, ['route']),
      },
    ],
    none: 'no reads',
  },
];

export const ordersAndWallets: DashboardSpec = {
  uid: 'onrush-orders-and-wallets',
  title: 'Onrush / Orders and wallets',
  description: 'Orders, charges, and the money that moves.',
  rows: [
    { title: 'In the chosen time', panels: now },
    { title: 'Flows', panels: flows },
    { title: 'Refused and repeated', panels: refused },
    { title: 'Reads', panels: reads },
  ],
};
