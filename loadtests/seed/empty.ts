import type { Connection, RowDataPacket } from 'mysql2/promise';

/**
 * Empties every table but `migrations`. TRUNCATE waits for the transactions that touch its table, so the order makes
 * this safe beneath a running application: after `users` no charge or order can begin, after `coupons` no message of
 * an old generation counts, and only then go the tables that those would have written to.
 */
export async function emptyTables(connection: Connection): Promise<void> {
  await connection.query('SET SESSION lock_wait_timeout = 30');
  for (const table of ['users', 'coupons', ...(await otherTables(connection))]) {
    await connection.query(`TRUNCATE TABLE \`${table}\``);
  }
}

async function otherTables(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
      AND table_name NOT IN ('migrations', 'users', 'coupons')
    ORDER BY table_name`,
  );
  return rows.map((row) => row.name as string);
}
