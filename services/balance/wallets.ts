import { won } from '../core/money.ts';
import { locking, type Statement, writing } from '../core/mysql.ts';

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
export const lockWallets = (userIds: string[]): Statement<Map<string, Wallet>> =>
  locking(
    'SELECT id, balance, balance_version FROM users FORCE INDEX (PRIMARY) WHERE id IN (?) ORDER BY id FOR UPDATE',
    [userIds],
    (rows: { id: string; balance: number; balance_version: number }[]) =>
      new Map(
        rows.map((row) => [row.id, { userId: row.id, balance: won(row.balance), version: won(row.balance_version) }]),
      ),
  );

/** Writes back wallets that this transaction has locked and changed. */
export function writeBalances(wallets: Wallet[]): Statement<number> {
  const cases = wallets.map(() => 'WHEN ? THEN ?').join(' ');
  return writing(
    `UPDATE users FORCE INDEX (PRIMARY)
        SET balance = CASE id ${cases} END, balance_version = CASE id ${cases} END WHERE id IN (?)`,
    [
      ...wallets.flatMap(({ userId, balance }) => [userId, balance]),
      ...wallets.flatMap(({ userId, version }) => [userId, version]),
      wallets.map(({ userId }) => userId),
    ],
  );
}
