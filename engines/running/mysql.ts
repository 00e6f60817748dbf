import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Reading } from '../engines.ts';

const asked = [
  'innodb_flush_log_at_trx_commit',
  'innodb_doublewrite',
  'innodb_flush_method',
  'log_bin',
  'sync_binlog',
  'transaction_isolation',
  'tx_isolation',
];

/** Connects once and reads what the server says; throws if it does not answer within 3 s. */
export async function readMysql(url: string): Promise<Reading> {
  const connection = await createConnection({ uri: url, connectTimeout: 3_000 });
  try {
    const [[about]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
    const [rows] = await connection.query<RowDataPacket[]>('SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)', [asked]);
    const durability = Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value] as [string, string]));
    // The isolation level's name before MariaDB 11.1.
    if (durability.tx_isolation !== undefined) durability.transaction_isolation ??= durability.tx_isolation;
    delete durability.tx_isolation;
    // MariaDB says 1 or 0 for sync_binlog without having a binary log to sync.
    if (durability.log_bin === 'OFF') delete durability.sync_binlog;
    await connection.end();
    return { version: versionName(String(about?.version)), durability };
  } finally {
    // Nothing is left of an ended connection; of one that failed above, nothing should be.
    connection.destroy();
  }
}

/** `10.11.19-MariaDB-0+deb12u1` is MariaDB 10.11.19, `9.7.0` is MySQL 9.7.0. */
function versionName(version: string): string {
  const number = version.replace(/^5\.5\.5-/, '').split('-')[0];
  return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${number}`;
}
