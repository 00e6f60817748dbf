import type { Connection } from 'mysql2/promise';

/**
 * All of the schema but `migrations`, by name: whatever else lies in the database is somebody else's. TRUNCATE waits for
 * the transactions that touch its table, so the order makes this safe beneath a running application: after `users` no
 * charge or order can begin, after `coupons` no message of an old generation counts, and only then go the tables that
 * those would have written to.
 */
export const EMPTIED = [
  'users',
  'coupons',
  'balance_charge_history',
  'cart_items',
  'carts',
  'coupon_rejections',
  'order_items',
  'orders',
  'outbox_events',
  'payments',
  'products',
  'run_baselines',
  'stocks',
  'user_coupons',
];

export async function emptyTables(connection: Connection): Promise<void> {
  await connection.query('SET SESSION lock_wait_timeout = 30');
  for (const table of EMPTIED) await connection.query(`TRUNCATE TABLE \`${table}\``);
}
