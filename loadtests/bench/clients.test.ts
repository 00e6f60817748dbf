import { Clients } from './clients.ts';

const before = { charges: { count: 0, won: 0 }, orders: { count: 0, won: 0 }, issued: 0, rejected: 0 };
const run = (counters: Record<string, number>) => ({ seconds: 1, dropped: 0, requests: {}, counters, thresholds: [] });

test('figures of several scenarios add up, and APIs that nobody called are left out', () => {
  const clients = new Clients();
  clients.add(run({ coupon_sent: 10, coupon_acknowledged: 7, coupon_refused_C006: 3 }));
  clients.add(run({ coupon_sent: 5, coupon_acknowledged: 5 }));
  expect(clients.figures(before, 'test-coupon-1')).toEqual({
    before,
    keyed: true,
    coupon: { couponId: 'test-coupon-1', sent: 15, accepted: 12, unresolved: 0 },
  });
});

test('what was sent and got no definite answer is unresolved, whatever cut it off', () => {
  const clients = new Clients();
  clients.add(
    run({ charge_sent: 10, charge_sent_won: 10_000, charge_acknowledged: 8, charge_acknowledged_won: 8_000 }),
  );
  expect(clients.figures(before, 'c').charge).toEqual({
    sent: { count: 10, won: 10_000 },
    acknowledged: { count: 8, won: 8_000 },
    unresolved: { count: 2, won: 2_000 },
  });
});

test('won are weighed by wallet where scripts and verifier both know of it', () => {
  const clients = new Clients();
  clients.add(
    run({
      charge_sent: 3,
      charge_sent_won: 3_000,
      charge_sent_weighed: 9_000,
      charge_acknowledged: 2,
      charge_acknowledged_won: 2_000,
      charge_acknowledged_weighed: 5_000,
    }),
  );
  clients.add(run({ order_sent: 1 }));
  const charges = { count: 0, won: 0, weighed: 0 };
  expect(clients.figures({ ...before, charges, orders: charges }, 'c')).toMatchObject({
    charge: { sent: { weighed: 9_000 }, acknowledged: { weighed: 5_000 }, unresolved: { count: 1, weighed: 4_000 } },
    order: { acknowledged: { count: 0, weighed: 0 } },
  });
  expect(JSON.stringify(clients.figures(before, 'c'))).not.toContain('weighed');
});

test('errors on the way to a definite answer leave nothing unresolved', () => {
  const clients = new Clients();
  clients.add(
    run({ order_sent: 3, order_error_http_503: 4, order_repeated: 4, order_acknowledged: 2, order_refused_P002: 1 }),
  );
  expect(clients.figures(before, 'c').order).toMatchObject({ sent: 3, unresolved: 0 });
});
