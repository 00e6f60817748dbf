import type { Connection, RowDataPacket } from 'mysql2/promise';

/**
 * Keys by which MySQL itself would stop a broken strategy, or find it out at once. Primary keys of rows that get a new id
 * each stay: no race can bring one about twice.
 */
const PRIMARY: Record<string, string> = {
  balance_charge_history: 'user_id, balance_version',
  user_coupons: 'user_id, coupon_id',
};

/**
 * Takes from the services' tables whatever would save a broken strategy: CHECK constraints go, unique keys become plain
 * ones on the same columns, so that every statement still finds its rows as fast. The columns are those of the services,
 * so the verifier judges these tables like any others.
 */
export async function loosen(connection: Connection): Promise<void> {
  for (const { name, tbl } of await checks(connection))
    await connection.query(`ALTER TABLE \`${tbl}\` DROP CONSTRAINT \`${name}\``);
  for (const { name, tbl, columns } of await uniqueKeys(connection))
    await connection.query(`ALTER TABLE \`${tbl}\` DROP KEY \`${name}\`, ADD KEY \`${name}\` (${columns})`);
  for (const [tbl, columns] of Object.entries(PRIMARY))
    await connection.query(`ALTER TABLE \`${tbl}\` DROP PRIMARY KEY, ADD KEY was_primary (${columns})`);
}

async function checks(connection: Connection): Promise<{ name: string; tbl: string }[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT constraint_name AS name, table_name AS tbl FROM information_schema.table_constraints
      WHERE constraint_schema = DATABASE() AND constraint_type = 'CHECK' AND constraint_name LIKE 'ck\\_%'`,
  );
  return rows as { name: string; tbl: string }[];
}

async function uniqueKeys(connection: Connection): Promise<{ name: string; tbl: string; columns: string }[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT index_name AS name, table_name AS tbl, GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns
       FROM information_schema.statistics
      WHERE table_schema = DATABASE() AND non_unique = 0 AND index_name LIKE 'uk\\_%'
      GROUP BY table_name, index_name`,
  );
  return rows as { name: string; tbl: string; columns: string }[];
}
