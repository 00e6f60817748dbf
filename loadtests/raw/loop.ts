import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import mysql from 'mysql2/promise';
import type { RawLoad } from './load.ts';

export const LOOP_CONNECTIONS = 16;

const RETRIED = new Set([1213, 1205, 1020]);

/**
 * Transactions a second of a bare mysql2 loop: each connection runs one after the other, with the statements of the
 * services and nothing else.
 */
export async function runLoop(databaseUrl: string, { kind, users }: RawLoad, seconds: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: LOOP_CONNECTIONS }, () =>
      mysql.createConnection({ uri: databaseUrl, supportBigNumbers: true, flags: ['-FOUND_ROWS'], timezone: 'Z' }),
    ),
  );
  const run = `loop-${Date.now().toString(36)}`;
  const transaction = { charge: chargeOnce, order: orderOnce }[kind];
  let done = 0;
  try {
    for (const connection of connections)
      await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    const began = performance.now();
    const until = began + seconds * 1000;
    await Promise.all(
      connections.map(async (connection, index) => {
        for (let n = 0; performance.now() < until; n++) {
          const user = kind === 'charge' ? Math.floor(Math.random() * users) : (n * LOOP_CONNECTIONS + index) % users;
          try {
            await transaction(connection, `test-user-${1 + user}`, `${run}-${index}-${n}`);
            done++;
          } catch (error) {
            if (!RETRIED.has((error as { errno?: number }).errno ?? 0)) throw error;
            await connection.query('ROLLBACK');
          }
        }
      }),
    );
    return done / ((performance.now() - began) / 1000);
  } finally {
    for (const connection of connections) connection.destroy();
  }
}

interface WalletRow extends RowDataPacket {
  balance: number;
  balance_version: number;
}

async function lockWallet(connection: Connection, user: string): Promise<WalletRow> {
  const [rows] = await connection.query<WalletRow[]>(
    'SELECT id, balance, balance_version FROM users WHERE id IN (?) ORDER BY id FOR UPDATE',
    [[user]],
  );
  return rows[0] as WalletRow;
}

async function writeWallet(connection: Connection, user: string, balance: number, version: number): Promise<void> {
  await connection.query<ResultSetHeader>(
    'UPDATE users SET balance = CASE id WHEN ? THEN ? END, balance_version = CASE id WHEN ? THEN ? END WHERE id IN (?)',
    [user, balance, user, version, [user]],
  );
}

async function chargeOnce(connection: Connection, user: string, key: string): Promise<void> {
  const amount = 1_000 * (1 + Math.floor(Math.random() * 10));
  await connection.query('START TRANSACTION');
  const { balance, balance_version } = await lockWallet(connection, user);
  await connection.query(
    `SELECT user_id, idempotency_key, amount, previous_balance, current_balance, charged_at
       FROM balance_charge_history WHERE (user_id, idempotency_key) IN (?)`,
    [[[user, key]]],
  );
  await connection.query(
    `INSERT INTO balance_charge_history
       (user_id, balance_version, amount, previous_balance, current_balance, idempotency_key, charged_at) VALUES ?`,
    [[[user, balance_version + 1, amount, balance, balance + amount, key, new Date()]]],
  );
  await writeWallet(connection, user, balance + amount, balance_version + 1);
  await connection.query('COMMIT');
}

async function orderOnce(connection: Connection, user: string, order: string): Promise<void> {
  const now = new Date();
  await connection.query('START TRANSACTION');
  const { balance, balance_version } = await lockWallet(connection, user);
  await connection.query(
    `SELECT id, user_id, coupon_id, total_amount, discount_amount, final_amount, idempotency_key, created_at
       FROM orders WHERE (user_id, idempotency_key) IN (?)`,
    [[[user, order]]],
  );
  const [lines] = await connection.query<RowDataPacket[]>(
    `SELECT c.user_id, i.id, i.product_id, i.quantity
       FROM carts c JOIN cart_items i ON i.cart_id = c.id
      WHERE c.user_id IN (?) ORDER BY c.user_id, i.product_id FOR UPDATE`,
    [[user]],
  );
  const products = lines.map(({ product_id }) => product_id as string);
  const [shelf] = await connection.query<RowDataPacket[]>(
    `SELECT p.id, p.name, p.price, s.quantity
       FROM products p LEFT JOIN stocks s ON s.product_id = p.id WHERE p.id IN (?)`,
    [products],
  );
  const product = new Map(shelf.map((row) => [row.id as string, row]));
  const items = lines.map(({ product_id, quantity }) => {
    const { name, price } = product.get(product_id) as RowDataPacket;
    return [order, product_id, name, price, quantity, price * quantity];
  });
  const total = items.reduce((sum, item) => sum + item[5], 0);
  await connection.query(
    `INSERT INTO orders (id, user_id, coupon_id, total_amount, discount_amount, final_amount, status, idempotency_key, created_at)
     VALUES ?`,
    [[[order, user, null, total, 0, total, 'PAID', order, now]]],
  );
  await connection.query(
    'INSERT INTO order_items (order_id, product_id, product_name, price, quantity, subtotal) VALUES ?',
    [items],
  );
  await connection.query(
    `INSERT INTO payments (order_id, user_id, amount, previous_balance, current_balance, balance_version, paid_at)
     VALUES ?`,
    [[[order, user, total, balance, balance - total, balance_version + 1, now]]],
  );
  const event = {
    orderId: order,
    userId: user,
    couponId: null,
    finalAmount: total,
    createdAt: now.toISOString(),
    items: lines.map(({ product_id, quantity }) => ({ productId: product_id, quantity })),
  };
  await connection.query(
    'INSERT INTO outbox_events (aggregate_id, event_type, payload, next_attempt_at, created_at) VALUES ?',
    [[[order, 'ORDER_PLACED', JSON.stringify(event), now, now]]],
  );
  await writeWallet(connection, user, balance - total, balance_version + 1);
  const quantity = `CASE product_id ${lines.map(() => 'WHEN ? THEN ?').join(' ')} END`;
  const taken = lines.flatMap(({ product_id, quantity: count }) => [product_id, count]);
  await connection.query(
    `UPDATE stocks SET quantity = quantity - ${quantity} WHERE product_id IN (?) AND quantity >= ${quantity} ORDER BY product_id`,
    [...taken, products, ...taken],
  );
  await connection.query('COMMIT');
}
