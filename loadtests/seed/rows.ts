import type { Connection, ResultSetHeader } from 'mysql2/promise';

export const COUPON_ID = 'test-coupon-1';
const PRODUCTS = 10;
const BALANCE = 1_000_000;
/** Users one statement covers. Larger ones are no faster, and the progress bar moves with each. */
const CHUNK = 10_000;

const digit = `(SELECT 0 AS d${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((d) => ` UNION ALL SELECT ${d}`).join('')})`;

/**
 * A derived table `n` of the whole numbers `i` from `first` to `last`, at most CHUNK of them. Made of digits because
 * MySQL has no sequence tables and caps recursion at 1,000 rows.
 */
function numbers(first: number, last: number): string {
  return `(SELECT ${first} + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS i
    FROM ${digit} a JOIN ${digit} b JOIN ${digit} c JOIN ${digit} e
    HAVING i <= ${last}) n`;
}

/** A statement for the users (or products) that `numbers` lists. */
interface Rows {
  table: string;
  per: 'user' | 'product';
  insert(numbersTable: string, stock: number, seed: number): string;
}

/**
 * The order is deliberate: users come last. Every write of the application begins at its user's row, so nothing can
 * happen to a half-seeded data set.
 *
 * Which products lie in a cart: one of ten, one of the other nine, one of the remaining eight, each drawn from the
 * same hash, so that every set of three is equally likely and none repeats a product.
 *
 * Measured for 100,000 users (2 cores, MariaDB 10.11, innodb_flush_log_at_trx_commit=1): cart_items 1.5 s, the other
 * three 0.2–0.3 s each. Sorting the items by id before inserting them lost (2.0 s).
 */
const ROWS: Rows[] = [
  {
    table: 'products',
    per: 'product',
    insert: (n) => `INSERT INTO products (id, name, category, price)
      SELECT CONCAT('test-product-', i), CONCAT('Product ', i), IF(i <= 5, 'home', 'outdoor'), 10000 FROM ${n}`,
  },
  {
    table: 'stocks',
    per: 'product',
    insert: (n, stock) => `INSERT INTO stocks (product_id, quantity)
      SELECT CONCAT('test-product-', i), ${stock} FROM ${n}`,
  },
  {
    table: 'run_baselines',
    per: 'product',
    insert: (n, stock) => `INSERT INTO run_baselines (kind, id, value)
      SELECT 'stock', CONCAT('test-product-', i), ${stock} FROM ${n}`,
  },
  {
    table: 'run_baselines',
    per: 'user',
    insert: (n) => `INSERT INTO run_baselines (kind, id, value, version)
      SELECT 'wallet', CONCAT('test-user-', i), ${BALANCE}, 0 FROM ${n}`,
  },
  {
    table: 'carts',
    per: 'user',
    insert: (n) => `INSERT INTO carts (id, user_id)
      SELECT CONCAT('test-cart-', i), CONCAT('test-user-', i) FROM ${n}`,
  },
  {
    table: 'cart_items',
    per: 'user',
    insert: (n, _stock, seed) => `INSERT INTO cart_items (id, cart_id, product_id, quantity)
      SELECT CONCAT('test-cart-item-', i, '-', slot), CONCAT('test-cart-', i),
        CONCAT('test-product-', 1 + (first + CASE slot WHEN 1 THEN 0 WHEN 2 THEN second
          ELSE third + IF(third >= second, 1, 0) END) % ${PRODUCTS}), 1
      FROM (SELECT i, h % 10 AS first, 1 + (h DIV 10) % 9 AS second, 1 + (h DIV 90) % 8 AS third
        FROM (SELECT i, CRC32(CONCAT('${seed}:', i)) AS h FROM ${n}) hashed) drawn
      JOIN (SELECT 1 AS slot UNION ALL SELECT 2 UNION ALL SELECT 3) slots`,
  },
  {
    table: 'users',
    per: 'user',
    insert: (n) => `INSERT INTO users (id, name, balance, balance_version)
      SELECT CONCAT('test-user-', i), CONCAT('Test user ', i), ${BALANCE}, 0 FROM ${n}`,
  },
];

/** Inserts everything but the coupon and returns the rows of each table. */
export async function insertRows(
  connection: Connection,
  { users, stock, seed }: { users: number; stock: number; seed: number },
  onProgress: (table: string, done: number, total: number) => void,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { table, per, insert } of ROWS) {
    const total = per === 'user' ? users : PRODUCTS;
    for (let first = 1; first <= total; first += CHUNK) {
      const last = Math.min(first + CHUNK - 1, total);
      const [result] = await connection.query<ResultSetHeader>(insert(numbers(first, last), stock, seed));
      counts[table] = (counts[table] ?? 0) + result.affectedRows;
      if (per === 'user') onProgress(table, last, total);
    }
  }
  return counts;
}

/** The coupon, as new: 1,000 won off, valid from yesterday for a year. */
export async function insertCoupon(connection: Connection, quantity: number, generation: string): Promise<void> {
  await connection.query(
    `INSERT INTO coupons (id, name, discount_type, discount_value, min_order_amount, total_quantity, generation,
      valid_from, valid_until)
    SELECT ?, 'First come, first served', 'FIXED', 1000, 0, ?, ?, yesterday, yesterday + INTERVAL 1 YEAR
    FROM (SELECT UTC_TIMESTAMP(3) - INTERVAL 1 DAY AS yesterday) t`,
    [COUPON_ID, quantity, generation],
  );
}
