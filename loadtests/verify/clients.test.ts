import type { ClientFigures } from './figures.ts';
import { type Fixture, openFixture } from './fixture.ts';
import { verify } from './verify.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('clients');
}, 60_000);
afterAll(() => fixture.close());
beforeEach(() => fixture.restore());

const none = { count: 0, won: 0 };
/** 200 users: three charges of 6,000 won together, an order of 30,000 or, for every other user, 29,000. */
const charges = { count: 600, won: 1_200_000 };
const orders = { count: 200, won: 5_900_000 };

/** What the clients of a faultless run report; each test changes what it is about. */
function figures(change: (figures: Required<ClientFigures>) => void = () => undefined): ClientFigures {
  const faultless = {
    before: { charges: { ...none }, orders: { ...none }, issued: 0, rejected: 0 },
    coupon: { couponId: 'test-coupon-1', sent: 250, accepted: 200, unresolved: 0 },
    charge: { sent: { ...charges }, acknowledged: { ...charges }, unresolved: { ...none } },
    order: { sent: 220, acknowledged: { ...orders }, unresolved: 0 },
    keyed: true,
  };
  change(faultless);
  return faultless;
}

async function red(clients: ClientFigures, allowLostPromises = false): Promise<string[]> {
  const { looseUrl, namespace } = fixture;
  const verdict = await verify({ databaseUrl: looseUrl, namespace, clients, allowLostPromises });
  const violated = verdict.checks.filter(({ status }) => status === 'violated').map(({ id }) => id);
  expect(verdict.verdict).toBe(violated.length > 0 ? 'FAIL' : 'PASS');
  return violated;
}

test('a faultless run passes', async () => {
  expect(await red(figures())).toEqual([]);
});

test('only what came since the run began is compared', async () => {
  const change = (f: Required<ClientFigures>) => {
    f.before = {
      charges: { count: 100, won: 200_000 },
      orders: { count: 50, won: 1_000_000 },
      issued: 30,
      rejected: 0,
    };
    f.coupon.accepted = 170;
    f.charge.acknowledged = { count: 500, won: 1_000_000 };
    f.order.acknowledged = { count: 150, won: 4_900_000 };
  };
  expect(await red(figures(change))).toEqual([]);
});

test('a charge that was acknowledged and is not there', async () => {
  expect(await red(figures((f) => f.charge.acknowledged.count++))).toEqual(['client-charges']);
  expect(await red(figures((f) => f.charge.acknowledged.won++))).toEqual(['client-charges']);
});

test('a charge that is there and was not acknowledged', async () => {
  expect(await red(figures((f) => f.charge.acknowledged.count--))).toEqual(['client-charges']);
  expect(await red(figures((f) => f.charge.acknowledged.won--))).toEqual(['client-charges']);
});

/** Σ over users 1 to 200 of 6,000 won each, and of 30,000 or, for the even ones, 29,000, times the user's number. */
const charged = 6_000 * 20_100;
const ordered = 30_000 * 10_000 + 29_000 * 10_100;
const weighed = (f: Required<ClientFigures>) => {
  f.before.charges.weighed = 0;
  f.before.orders.weighed = 0;
  f.charge.sent.weighed = charged;
  f.charge.acknowledged.weighed = charged;
  f.charge.unresolved.weighed = 0;
  f.order.acknowledged.weighed = ordered;
};

test('money that went to another wallet than the one that was asked for, which no other sum can tell', async () => {
  expect(await red(figures(weighed))).toEqual([]);
  // The charge of test-user-1's 3,000 won is in test-user-2's wallet, in all form.
  for (const statement of [
    `DELETE FROM balance_charge_history WHERE user_id = 'test-user-1' AND balance_version = 3`,
    `UPDATE payments SET balance_version = 3, previous_balance = previous_balance - 3000,
      current_balance = current_balance - 3000 WHERE user_id = 'test-user-1'`,
    `UPDATE users SET balance = balance - 3000, balance_version = 3 WHERE id = 'test-user-1'`,
    `INSERT INTO balance_charge_history
      SELECT user_id, 5, 3000, current_balance, current_balance + 3000, 'another', paid_at
      FROM payments WHERE user_id = 'test-user-2'`,
    `UPDATE users SET balance = balance + 3000, balance_version = 5 WHERE id = 'test-user-2'`,
  ])
    await fixture.loose.query(statement);
  expect(await red(figures(weighed))).toEqual(['client-charges']);
  // A generator that does not tell it is judged as before.
  expect(await red(figures())).toEqual([]);
});

test('an order of another user than the one that asked', async () => {
  const off = (by: number) => (f: Required<ClientFigures>) => {
    weighed(f);
    f.order.acknowledged.weighed = ordered + by;
  };
  expect(await red(figures(off(30_000)))).toEqual(['client-orders']);
  expect(await red(figures(off(-30_000)))).toEqual(['client-orders']);
});

test('a request executed twice, which nothing but the clients can tell', async () => {
  await fixture.loose.query(
    `INSERT INTO balance_charge_history
      SELECT user_id, 5, 1000, current_balance, current_balance + 1000, 'another', paid_at
      FROM payments WHERE user_id = 'test-user-1'`,
  );
  await fixture.loose.query(`UPDATE users SET balance = balance + 1000, balance_version = 5 WHERE id = 'test-user-1'`);
  expect(await red(figures())).toEqual(['client-charges']);
});

test('an order that was acknowledged and is not there, and the other way round', async () => {
  expect(await red(figures((f) => f.order.acknowledged.count++))).toEqual(['client-orders']);
  expect(await red(figures((f) => f.order.acknowledged.count--))).toEqual(['client-orders']);
  expect(await red(figures((f) => f.order.acknowledged.won++))).toEqual(['client-orders']);
  expect(await red(figures((f) => f.order.acknowledged.won--))).toEqual(['client-orders']);
});

test('coupons that nobody was promised', async () => {
  expect(await red(figures((f) => f.coupon.accepted--))).toEqual(['client-coupons']);
});

test('an unresolved request may have been executed or not, but no more than that', async () => {
  const unresolved = (missing: number) => (f: Required<ClientFigures>) => {
    f.charge.acknowledged = { count: 600 - missing, won: 1_200_000 - 1000 * missing };
    f.charge.unresolved = { count: 2, won: 2000 };
    f.order.acknowledged = { count: 200 - missing, won: 5_900_000 - 30_000 * missing };
    f.order.unresolved = 2;
    f.coupon.accepted = 200 - missing;
    f.coupon.unresolved = 2;
  };
  for (const missing of [0, 1, 2]) expect(await red(figures(unresolved(missing)))).toEqual([]);
  expect(await red(figures(unresolved(3)))).toEqual(['client-coupons', 'client-charges', 'client-orders']);
});

test('without keys the rows lie between what was acknowledged and what was sent', async () => {
  const unkeyed = (sent: number) => (f: Required<ClientFigures>) => {
    f.keyed = false;
    f.charge.sent = { count: sent, won: 2000 * sent };
    f.charge.acknowledged = { count: 500, won: 1_000_000 };
    f.order.acknowledged = { count: 150, won: 4_000_000 };
    f.coupon.accepted = 190;
  };
  expect(await red(figures(unkeyed(600)))).toEqual([]);
  expect(await red(figures(unkeyed(599)))).toEqual(['client-charges']);
});

test('a lost promise fails unless it is allowed, and is reported as a number', async () => {
  const clients = figures((f) => {
    f.coupon.accepted = 207;
  });
  expect(await red(clients)).toEqual(['coupon-promises']);
  expect(await red(clients, true)).toEqual([]);
  const { looseUrl, namespace } = fixture;
  const verdict = await verify({ databaseUrl: looseUrl, namespace, clients, allowLostPromises: true });
  expect(verdict.lostPromises).toBe(7);
});

test('a promise that was rejected in the end is not lost', async () => {
  await fixture.loose.query(
    `INSERT INTO coupon_rejections VALUES ('test-coupon-1', 'nobody', '1-2', 'gen', 'UNKNOWN_USER', 0, 1, NOW(3))`,
  );
  expect(await red(figures((f) => f.coupon.accepted++))).toEqual([]);
});
