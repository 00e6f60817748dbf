import type { Connection } from 'mysql2/promise';
import type { Call } from './clients.ts';
import type { Write } from './strategy.ts';

/** The load of one write: the same for all its strategies. */
export interface Load {
  title: string;
  clients: number;
  /** Users in the data set, unless a run asks for fewer. */
  users: number;
  /** The n-th write of the measured time. There is enough of everything: what is measured is success. */
  next(n: number, users: number): Call;
  /** Then, unmeasured, all at once: too many want the last of something. That is where a check that came too early shows. */
  last?: {
    calls(users: number): Call[];
    /** Adds to the seeded rows what these calls want. */
    prepare(connection: Connection, users: number): Promise<void>;
  };
}

/** Wallets that the charges fall on: few, as when many phones charge the same ones. */
const WALLETS = 10;

/** There are `pieces` of the last coupon and the last product, which `people` want. They are the last users. */
const LAST_COUPON = { id: 'test-coupon-last', pieces: 50, people: 200 };
const LAST_PRODUCT = { id: 'test-product-last', pieces: 30, people: 80 };

const issue = (couponId: string, user: number): Call => ({
  path: `/api/coupons/${couponId}/issue`,
  body: { userId: `test-user-${user}` },
});
const order = (user: number): Call => ({ path: '/api/orders', body: { userId: `test-user-${user}` } });

export const LOADS: Record<Write, Load> = {
  coupon: {
    title: '100 clients, each user asks once; then 200 users ask twice for the last 50',
    clients: 100,
    users: 50_000,
    next: (n, users) => issue('test-coupon-1', 1 + (n % (users - LAST_COUPON.people))),
    last: {
      // Both requests of a user one right after the other: an impatient thumb.
      calls: (users) =>
        Array.from({ length: 2 * LAST_COUPON.people }, (_, n) => issue(LAST_COUPON.id, users - Math.floor(n / 2))),
      async prepare(connection) {
        await connection.query(
          `INSERT INTO coupons (id, name, discount_type, discount_value, min_order_amount, total_quantity, generation,
             valid_from, valid_until)
           SELECT ?, 'The last ones', discount_type, discount_value, min_order_amount, ?, generation, valid_from, valid_until
             FROM coupons WHERE id = 'test-coupon-1'`,
          [LAST_COUPON.id, LAST_COUPON.pieces],
        );
      },
    },
  },
  charge: {
    title: `100 clients charge ${WALLETS} wallets`,
    clients: 100,
    users: 1_000,
    next: (n) => ({
      path: `/api/users/test-user-${1 + (n % WALLETS)}/balance/charge`,
      // Different amounts, so that a count alone does not give the sum.
      body: { amount: 1_000 * (1 + (n % 7)) },
    }),
  },
  order: {
    title: '100 clients order three of ten products for a user each; then 80 users want the last 30 of one',
    clients: 100,
    users: 100_000,
    next: (n, users) => order(1 + (n % (users - LAST_PRODUCT.people))),
    last: {
      calls: (users) => Array.from({ length: LAST_PRODUCT.people }, (_, n) => order(users - n)),
      async prepare(connection, users) {
        const { id, pieces, people } = LAST_PRODUCT;
        await connection.query(
          `INSERT INTO products (id, name, category, price) VALUES (?, 'The last', 'home', 10000)`,
          [id],
        );
        await connection.query('INSERT INTO stocks (product_id, quantity) VALUES (?, ?)', [id, pieces]);
        await connection.query(`INSERT INTO run_baselines (kind, id, value) VALUES ('stock', ?, ?)`, [id, pieces]);
        const carts = Array.from({ length: people }, (_, n) => `test-cart-${users - n}`);
        await connection.query('DELETE FROM cart_items WHERE cart_id IN (?)', [carts]);
        await connection.query('INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES ?', [
          carts.map((cart) => [`${cart}-last`, cart, id, 1]),
        ]);
      },
    },
  },
};
