import { won } from '../core/money.ts';
import type { Tx } from '../core/mysql.ts';

export interface Wallet {
  userId: string;
  /** Whole won. */
  balance: number;
  /** Grows by one with every charge and payment. */
  version: number;
}

/**
 * Locks the rows of these users, in order of id, until the transaction ends. Users that do not exist are absent from
 * the result.
 */
export async function lockWallets(tx: Tx, userIds: string[]): Promise<Map<string, Wallet>> {
  const rows = await tx.rows<{ id: string; balance: number; balance_version: number }>(
    'SELECT id, balance, balance_version FROM users WHERE id IN (?) ORDER BY id FOR UPDATE',
    [userIds],
  );
  return new Map(
    rows.map((row) => [row.id, { userId: row.id, balance: won(row.balance), version: won(row.balance_version) }]),
  );
}

/** Writes back wallets that this transaction has locked and changed. */
export async function writeBalances(tx: Tx, wallets: Wallet[]): Promise<void> {
  const values = wallets.flatMap(({ userId, balance }) => [userId, balance]);
  const versions = wallets.flatMap(({ userId, version }) => [userId, version]);
  const cases = wallets.map(() => 'WHEN ? THEN ?').join(' ');
  const result = await tx.write(
    `UPDATE users SET balance = CASE id ${cases} END, balance_version = CASE id ${cases} END WHERE id IN (?)`,
    [...values, ...versions, wallets.map(({ userId }) => userId)],
  );
  if (result.affectedRows !== wallets.length)
    throw new Error(`${result.affectedRows} of ${wallets.length} locked wallets were written`);
}
