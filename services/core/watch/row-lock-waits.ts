import type { WritePool } from '../mysql.ts';

/** A transaction that waits for a row that another one has locked. */
export interface RowLockWait {
  /** The same for as long as the wait lasts. */
  id: string;
  table: string;
  index: string;
  /** The locked row's key, as the engine writes it. */
  row: string | null;
  mode: string;
  /** Since the waiting statement began: an upper bound of the wait. */
  seconds: number;
  waiting: { connection: number; statement: string | null };
  /** Without a statement the transaction is idle: its program is at work, or gone. */
  blocking: { connection: number; statement: string | null; transactionSeconds: number };
}

/** Whether any transaction waits for a row: one number that the engine has at hand. */
export async function someoneWaits(pool: WritePool, deadline: number): Promise<boolean> {
  const [row] = await pool.rows<{ Value: string }>(deadline, "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'");
  return Number(row?.Value ?? 0) > 0;
}

export async function isMariaDb(pool: WritePool, deadline: number): Promise<boolean> {
  const [row] = await pool.rows<{ version: string }>(deadline, 'SELECT VERSION() AS version');
  return /mariadb/i.test(row?.version ?? '');
}

/** More waits than these tell nothing more. */
const MOST = 200;

interface WaitRow {
  id: string;
  table_name: string;
  index_name: string | null;
  row_key: string | null;
  mode: string;
  seconds: number;
  waiting_connection: number;
  waiting_statement: string | null;
  blocking_connection: number;
  blocking_statement: string | null;
  blocking_seconds: number;
}

/**
 * Waits of this database, read without locks of ours. Needs PROCESS, and on MySQL SELECT on performance_schema. The times of
 * INNODB_TRX are whole seconds, so a wait's length is taken from its statement.
 */
const ON_MARIADB = `
SELECT w.requested_lock_id AS id, l.lock_table AS table_name, l.lock_index AS index_name, l.lock_data AS row_key,
       l.lock_mode AS mode, p.TIME_MS / 1000 AS seconds,
       r.trx_mysql_thread_id AS waiting_connection, r.trx_query AS waiting_statement,
       b.trx_mysql_thread_id AS blocking_connection, b.trx_query AS blocking_statement,
       TIMESTAMPDIFF(SECOND, b.trx_started, NOW()) AS blocking_seconds
  FROM information_schema.INNODB_LOCK_WAITS w
  JOIN information_schema.INNODB_LOCKS l ON l.lock_id = w.requested_lock_id
  JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id
  JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id
  JOIN information_schema.PROCESSLIST p ON p.ID = r.trx_mysql_thread_id
 WHERE l.lock_table LIKE CONCAT('\`', REPLACE(DATABASE(), '_', '\\\\_'), '\`.%')
 LIMIT ${MOST}`;

const ON_MYSQL = `
SELECT w.REQUESTING_ENGINE_LOCK_ID AS id, l.OBJECT_NAME AS table_name, l.INDEX_NAME AS index_name, l.LOCK_DATA AS row_key,
       l.LOCK_MODE AS mode, COALESCE(s.TIMER_WAIT / 1e12, 0) AS seconds,
       r.trx_mysql_thread_id AS waiting_connection, r.trx_query AS waiting_statement,
       b.trx_mysql_thread_id AS blocking_connection, b.trx_query AS blocking_statement,
       TIMESTAMPDIFF(SECOND, b.trx_started, NOW()) AS blocking_seconds
  FROM performance_schema.data_lock_waits w
  JOIN performance_schema.data_locks l ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID
  JOIN information_schema.INNODB_TRX r ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID
  JOIN information_schema.INNODB_TRX b ON b.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID
  LEFT JOIN performance_schema.events_statements_current s
    ON s.THREAD_ID = w.REQUESTING_THREAD_ID AND s.NESTING_EVENT_ID IS NULL
 WHERE l.OBJECT_SCHEMA = DATABASE()
 LIMIT ${MOST}`;

export async function rowLockWaits(pool: WritePool, deadline: number, mariaDb: boolean): Promise<RowLockWait[]> {
  const rows = await pool.rows<WaitRow>(deadline, mariaDb ? ON_MARIADB : ON_MYSQL);
  return rows.map((row) => ({
    id: `${row.id} ${row.blocking_connection}`,
    // MariaDB writes `database`.`table`.
    table: row.table_name.replace(/^.*\./, '').replaceAll('`', ''),
    index: (row.index_name ?? 'none').replaceAll('`', ''),
    row: row.row_key,
    mode: row.mode,
    seconds: Number(row.seconds),
    waiting: { connection: Number(row.waiting_connection), statement: withoutValues(row.waiting_statement) },
    blocking: {
      connection: Number(row.blocking_connection),
      statement: withoutValues(row.blocking_statement),
      transactionSeconds: Number(row.blocking_seconds),
    },
  }));
}

/** Long lists of values say nothing, and are nobody's business in a log. */
function withoutValues(statement: string | null): string | null {
  if (statement === null) return null;
  return statement
    .slice(0, 2_000)
    .replace(/'(?:[^'\\]|\\.|'')*'?/g, '?')
    .replace(/\b\d+\b/g, '?')
    .replace(/\?(, \?)+/g, '?, …')
    .replace(/(\(\?, …\))(, \(\?, …\))+/g, '$1, …')
    .replace(/(WHEN \? THEN \?\s*)+/g, 'WHEN ? THEN ? … ')
    .replace(/\s+/g, ' ')
    .slice(0, 200);
}
