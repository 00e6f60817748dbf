import type { ChargeResponse } from '../../../services/balance/contract.ts';
import type { Tx } from '../../../services/core/mysql.ts';
import { type Outcome, refuse } from '../../../services/core/refusals.ts';
import type { ChargeRequest } from '../strategy.ts';

// What all strategies for charges have in common: the statements. How they are kept apart is the strategies' own.

export interface Wallet {
  balance: number;
  version: number;
}

const SELECT = 'SELECT balance, balance_version AS version FROM users WHERE id = ?';

/** The wallet as it is at this moment; by the time it is written it may be another. */
export const readWallet = async (tx: Tx, userId: string): Promise<Wallet | undefined> =>
  (await tx.rows<Wallet>(SELECT, [userId]))[0];

/** The wallet, which nobody else can lock or write until the transaction ends. */
export const lockWallet = async (tx: Tx, userId: string): Promise<Wallet | undefined> =>
  (await tx.rows<Wallet>(`${SELECT} FOR UPDATE`, [userId]))[0];

/** What was answered under this key before, or undefined if nothing was. */
export async function replay(
  tx: Tx,
  { userId, amount, key }: ChargeRequest,
): Promise<Outcome<ChargeResponse> | undefined> {
  const [before] = await tx.rows<{ amount: number; previous: number; current: number; chargedAt: Date }>(
    `SELECT amount, previous_balance AS previous, current_balance AS current, charged_at AS chargedAt
       FROM balance_charge_history WHERE user_id = ? AND idempotency_key = ?`,
    [userId, key],
  );
  if (!before) return undefined;
  if (before.amount !== amount) return refuse('I422', { field: 'amount' });
  return { ...answer(userId, before.previous, amount, before.chargedAt), replayed: true };
}

/** Writes the charge into the history of the wallet as it was read, and returns what the client is told. */
export async function insertCharge(
  tx: Tx,
  { userId, amount, key }: ChargeRequest,
  { balance, version }: Wallet,
): Promise<Outcome<ChargeResponse>> {
  const now = new Date();
  await tx.write(
    `INSERT INTO balance_charge_history
       (user_id, balance_version, amount, previous_balance, current_balance, idempotency_key, charged_at)
     VALUES (?)`,
    [[userId, version + 1, amount, balance, balance + amount, key, now]],
  );
  return answer(userId, balance, amount, now);
}

const answer = (userId: string, previousBalance: number, chargedAmount: number, at: Date) => ({
  ok: true as const,
  value: {
    userId,
    previousBalance,
    chargedAmount,
    currentBalance: previousBalance + chargedAmount,
    chargedAt: at.toISOString(),
  },
});
