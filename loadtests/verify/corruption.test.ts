import { type Fixture, openFixture } from './fixture.ts';
import { verify } from './verify.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('corruption');
}, 60_000);
afterAll(() => fixture.close());
beforeEach(() => fixture.restore());

const judge = () => verify({ databaseUrl: fixture.looseUrl, namespace: fixture.namespace });

test('clean data passes, with its constraints and without', async () => {
  const { databaseUrl, namespace } = fixture;
  for (const verdict of [await verify({ databaseUrl, namespace }), await judge()]) {
    expect(verdict.reasons).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(Object.fromEntries(verdict.checks.map(({ id, checked }) => [id, checked]))).toMatchObject({
      'coupon-once': 200,
      'wallet-balance': 200 + 600 + 200,
      'wallet-chain': 600 + 200,
      'stock-sum': 10 + 600,
      'order-total': 200 + 600,
    });
  }
});

/** Odd users hold their coupon still, even ones used it in their order. Every order came to 30,000 won before discount. */
const corruptions: [what: string, red: string[], statements: string[]][] = [
  ['more coupons than there are', ['coupon-total'], ['UPDATE coupons SET total_quantity = 199']],
  [
    'a user holds a coupon twice',
    ['coupon-once'],
    [
      `INSERT INTO user_coupons SELECT * FROM user_coupons WHERE user_id = 'test-user-1'`,
      'UPDATE coupons SET issued_quantity = 201',
    ],
  ],
  ['issued_quantity off by one', ['coupon-counted'], ['UPDATE coupons SET issued_quantity = 199']],
  [
    'a coupon of a user that does not exist',
    ['coupon-orphans'],
    [`UPDATE user_coupons SET user_id = 'nobody' WHERE user_id = 'test-user-1'`],
  ],
  [
    'a coupon that does not exist',
    ['coupon-orphans'],
    [
      `UPDATE user_coupons SET coupon_id = 'nothing' WHERE user_id = 'test-user-1'`,
      'UPDATE coupons SET issued_quantity = 199',
    ],
  ],

  [
    'a charge missing from the history',
    ['wallet-balance', 'wallet-chain'],
    [`DELETE FROM balance_charge_history WHERE user_id = 'test-user-1' AND balance_version = 2`],
  ],
  [
    'a lost update: two charges began at the same balance',
    ['wallet-balance', 'wallet-chain'],
    [
      `UPDATE balance_charge_history SET previous_balance = previous_balance - 1000,
        current_balance = current_balance - 1000 WHERE user_id = 'test-user-1' AND balance_version IN (2, 3)`,
      `UPDATE payments SET previous_balance = previous_balance - 1000, current_balance = current_balance - 1000
        WHERE user_id = 'test-user-1'`,
      `UPDATE users SET balance = balance - 1000 WHERE id = 'test-user-1'`,
    ],
  ],
  [
    'a charge written twice',
    ['wallet-balance', 'wallet-chain'],
    [
      `INSERT INTO balance_charge_history SELECT * FROM balance_charge_history
        WHERE user_id = 'test-user-1' AND balance_version = 2`,
    ],
  ],
  [
    'a charge in the history only',
    ['wallet-balance'],
    [
      `INSERT INTO balance_charge_history SELECT user_id, 5, 1000, current_balance, current_balance + 1000, 'x', paid_at
        FROM payments WHERE user_id = 'test-user-1'`,
    ],
  ],
  [
    'a broken chain',
    ['wallet-chain'],
    [
      `UPDATE balance_charge_history SET previous_balance = previous_balance + 1, current_balance = current_balance + 1
        WHERE user_id = 'test-user-1' AND balance_version = 2`,
    ],
  ],
  [
    'a chain that does not begin at the baseline',
    ['wallet-balance', 'wallet-chain'],
    [`UPDATE run_baselines SET value = value - 1 WHERE kind = 'wallet' AND id = 'test-user-1'`],
  ],
  [
    'a gap in the versions',
    ['wallet-chain'],
    [
      `UPDATE payments SET balance_version = 5 WHERE user_id = 'test-user-1'`,
      `UPDATE users SET balance_version = 5 WHERE id = 'test-user-1'`,
    ],
  ],
  [
    'a wallet whose version ran ahead',
    ['wallet-balance'],
    [`UPDATE users SET balance_version = 5 WHERE id = 'test-user-1'`],
  ],
  [
    'a wallet that is gone with its money, of a user that did nothing',
    ['wallet-balance'],
    [`INSERT INTO run_baselines (kind, id, value, version) VALUES ('wallet', 'quiet', 1000000, 0)`],
  ],
  ['a wrong balance', ['wallet-balance'], [`UPDATE users SET balance = balance + 1 WHERE id = 'test-user-1'`]],
  [
    'a charge that added another amount',
    ['wallet-step', 'wallet-balance'],
    [`UPDATE balance_charge_history SET amount = amount + 1 WHERE user_id = 'test-user-1' AND balance_version = 1`],
  ],
  [
    'a charge of a user that does not exist',
    ['wallet-orphans'],
    [`INSERT INTO balance_charge_history VALUES ('nobody', 1, 5, 0, 5, 'x', NOW(3))`],
  ],

  [
    'stock off by one',
    ['stock-sum'],
    [`UPDATE stocks SET quantity = quantity + 1 WHERE product_id = 'test-product-1'`],
  ],
  [
    'a stock that is gone, of a product that was not sold',
    ['stock-sum'],
    [`INSERT INTO run_baselines (kind, id, value, version) VALUES ('stock', 'quiet', 40, 0)`],
  ],
  ['a product sold that has no stock', ['stock-sum'], [`DELETE FROM stocks WHERE product_id = 'test-product-1'`]],
  [
    'negative stock',
    ['stock-negative'],
    [
      `UPDATE stocks SET quantity = quantity - 100000000 WHERE product_id = 'test-product-1'`,
      `UPDATE run_baselines SET value = value - 100000000 WHERE kind = 'stock' AND id = 'test-product-1'`,
    ],
  ],

  ['a wrong total', ['order-total'], [...orderAmounts('order-1', 'total_amount = 30001, final_amount = 30001', 1)]],
  ['an order without items', ['stock-sum', 'order-total'], [`DELETE FROM order_items WHERE order_id = 'order-1'`]],
  [
    'a wrong subtotal',
    ['order-subtotal', 'order-price'],
    [`UPDATE order_items SET price = 9999 WHERE order_id = 'order-1' LIMIT 1`],
  ],
  [
    'an order sold below its price, consistent in itself',
    ['order-price'],
    [
      `UPDATE order_items SET price = 5000, subtotal = 5000 * quantity WHERE order_id = 'order-1'`,
      ...orderAmounts('order-1', 'total_amount = 15000, final_amount = 15000', -15000),
    ],
  ],
  ['an item of a product that does not exist', ['order-price'], [`DELETE FROM products WHERE id = 'test-product-1'`]],
  [
    'a wrong discount',
    ['order-discount'],
    [...orderAmounts('order-2', 'discount_amount = 2000, final_amount = 28000', -1000)],
  ],
  [
    'a discount without a coupon',
    ['order-discount'],
    [...orderAmounts('order-1', 'discount_amount = 1000, final_amount = 29000', -1000)],
  ],
  ['a discount on an order below the minimum', ['order-discount'], ['UPDATE coupons SET min_order_amount = 30001']],
  [
    'a percentage that was not capped',
    ['order-discount'],
    [`UPDATE coupons SET discount_type = 'PERCENT', discount_value = 10, max_discount_amount = 999`],
  ],
  [
    'a percentage that was capped right',
    [],
    [`UPDATE coupons SET discount_type = 'PERCENT', discount_value = 10, max_discount_amount = 1000`],
  ],
  ['final ≠ total − discount', ['order-final'], [...orderAmounts('order-1', 'final_amount = 29999', -1)]],
  [
    'an order that was not paid',
    ['order-payment'],
    [
      `DELETE FROM payments WHERE order_id = 'order-1'`,
      `UPDATE users SET balance = balance + 30000, balance_version = 3 WHERE id = 'test-user-1'`,
    ],
  ],
  [
    'an order that was paid twice',
    ['order-payment'],
    [
      `INSERT INTO payments SELECT order_id, user_id, amount, current_balance, current_balance - amount, 5, paid_at
        FROM payments WHERE order_id = 'order-1'`,
      `UPDATE users SET balance = balance - 30000, balance_version = 5 WHERE id = 'test-user-1'`,
    ],
  ],
  [
    'a payment of another amount',
    ['order-payment'],
    [
      `UPDATE payments SET amount = 29999, current_balance = current_balance + 1 WHERE order_id = 'order-1'`,
      `UPDATE users SET balance = balance + 1 WHERE id = 'test-user-1'`,
    ],
  ],
  ['an order without event', ['order-event'], [`DELETE FROM outbox_events WHERE aggregate_id = 'order-1'`]],
  [
    'an order with two events',
    ['order-event'],
    [`INSERT INTO outbox_events SELECT * FROM outbox_events WHERE aggregate_id = 'order-1'`],
  ],
  [
    'an event that was given up',
    ['event-failed'],
    [`UPDATE outbox_events SET status = 'FAILED' WHERE aggregate_id = 'order-1'`],
  ],
  [
    'a coupon used without an order',
    ['order-coupon'],
    [`UPDATE user_coupons SET status = 'USED' WHERE user_id = 'test-user-1'`],
  ],
  [
    'an order that names a coupon which is still unused',
    ['order-coupon'],
    [`UPDATE user_coupons SET status = 'AVAILABLE' WHERE user_id = 'test-user-2'`],
  ],
  [
    'an order that names a coupon which its user does not have',
    ['order-coupon'],
    [`DELETE FROM user_coupons WHERE user_id = 'test-user-2'`, 'UPDATE coupons SET issued_quantity = 199'],
  ],
  [
    'a coupon used in two orders',
    ['order-coupon'],
    [
      `INSERT INTO orders SELECT 'order-x', user_id, coupon_id, 10000, 1000, 9000, status, 'x', created_at
        FROM orders WHERE id = 'order-2'`,
      `INSERT INTO order_items VALUES ('order-x', 'test-product-1', 'x', 10000, 1, 10000)`,
      `UPDATE stocks SET quantity = quantity - 1 WHERE product_id = 'test-product-1'`,
      `INSERT INTO payments SELECT 'order-x', user_id, 9000, current_balance, current_balance - 9000, 5, paid_at
        FROM payments WHERE order_id = 'order-2'`,
      `UPDATE users SET balance = balance - 9000, balance_version = 5 WHERE id = 'test-user-2'`,
      `INSERT INTO outbox_events SELECT id, 'order-x', event_type, payload, status, attempts, next_attempt_at, last_error,
        created_at, published_at, trace_parent FROM outbox_events WHERE aggregate_id = 'order-2'`,
    ],
  ],
  [
    'an item of no order',
    ['order-orphans'],
    [
      `INSERT INTO order_items VALUES ('none', 'test-product-1', 'x', 10000, 1, 10000)`,
      `UPDATE stocks SET quantity = quantity - 1 WHERE product_id = 'test-product-1'`,
    ],
  ],
  [
    'a payment of no order',
    ['order-orphans'],
    [
      `INSERT INTO payments SELECT 'none', user_id, 7, current_balance, current_balance - 7, 5, paid_at
        FROM payments WHERE user_id = 'test-user-1'`,
      `UPDATE users SET balance = balance - 7, balance_version = 5 WHERE id = 'test-user-1'`,
    ],
  ],
  [
    'an event of no order',
    ['order-orphans'],
    [
      `UPDATE outbox_events SET aggregate_id = 'none' WHERE aggregate_id = 'order-1'`,
      `INSERT INTO outbox_events SELECT id, 'order-1', event_type, payload, status, attempts, next_attempt_at, last_error,
        created_at, published_at, trace_parent FROM outbox_events WHERE aggregate_id = 'none'`,
    ],
  ],
];

/** Changes an order's amounts and lets its payment and its wallet agree with the final amount, `more` than before. */
function orderAmounts(orderId: string, amounts: string, more: number): string[] {
  return [
    `UPDATE orders SET ${amounts} WHERE id = '${orderId}'`,
    `UPDATE payments SET amount = amount + ${more}, current_balance = current_balance - ${more} WHERE order_id = '${orderId}'`,
    `UPDATE users SET balance = balance - ${more} WHERE id = '${orderId.replace('order', 'test-user')}'`,
  ];
}

test.each(corruptions)('%s → %j', async (_what, red, statements) => {
  for (const statement of statements) await fixture.loose.query(statement);
  const verdict = await judge();
  const violated = verdict.checks.filter(({ status }) => status === 'violated');
  expect(violated.map(({ id }) => id).sort()).toEqual([...red].sort());
  expect(verdict.verdict).toBe(red.length > 0 ? 'FAIL' : 'PASS');
  for (const { violations, rows } of violated) expect(rows).toHaveLength(Math.min(5, violations));
});

test('a violation of every row is counted whole and shown by five', async () => {
  await fixture.loose.query('UPDATE users SET balance = balance + 1');
  const check = (await judge()).checks.find(({ id }) => id === 'wallet-balance');
  expect(check).toMatchObject({ status: 'violated', violations: 200 });
  expect(check?.rows).toHaveLength(5);
});

test('a user that came after the seed began with nothing', async () => {
  await fixture.loose.query(`INSERT INTO users VALUES ('late', 'Late', 500, 1, NOW(3))`);
  await fixture.loose.query(`INSERT INTO balance_charge_history VALUES ('late', 1, 500, 0, 500, 'x', NOW(3))`);
  expect((await judge()).reasons).toEqual([]);
});

test('without baselines there is no verdict', async () => {
  await fixture.loose.query('DELETE FROM run_baselines');
  const verdict = await judge();
  expect(verdict.verdict).toBe('INCONCLUSIVE');
  expect(verdict.reasons).toContain(
    'wallet-balance: there is no wallet baseline to compare with; npm run seed writes it',
  );
});
