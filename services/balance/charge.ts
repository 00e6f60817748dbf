import { crashPoint } from '../core/crash-point.ts';
import { newId } from '../core/ids.ts';
import { MAX_WON, won } from '../core/money.ts';
import { query, type Statement, type Tx, type WritePool, writing } from '../core/mysql.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { TransactionRecord } from '../core/transaction-record.ts';
import type { ChargeResponse } from './contract.ts';
import { lockWallets, type Wallet, writeBalances } from './wallets.ts';

export interface Charge {
  userId: string;
  amount: number;
  key: string;
}

/** A charge that the client gave no key gets one of ours, so that a broken COMMIT can always be looked up. */
export const madeUpKey = (): string => newId('auto');

interface KnownCharge {
  user_id: string;
  idempotency_key: string;
  amount: number;
  previous_balance: number;
  current_balance: number;
  charged_at: Date;
}

/**
 * Charges any number of wallets in one transaction and returns an outcome for each, in order: the answer, a replay of
 * the one that was given for the key before, U001 (no such user), U002 (balance too large), I422 (key used with
 * another amount). A refusal is that request's alone.
 *
 * Locks the users' rows in order of id until the commit. Another process with the same key waits there and then finds
 * the charge; UNIQUE(user_id, idempotency_key) is the backstop. There is no table of keys: the charge itself holds the
 * key, and the answer is rebuilt from it.
 */
export async function chargeAll(
  pool: WritePool,
  charges: Charge[],
  deadline: number,
  record?: TransactionRecord,
): Promise<Outcome<ChargeResponse>[]> {
  /** Charges that were there before any COMMIT of ours was sent: their requests are replays whatever follows. */
  const earlier = new Set<string>();
  const work = async (tx: Tx, again: boolean): Promise<Outcome<ChargeResponse>[]> => {
    const [wallets, known] = await tx.locking(
      'user_row',
      lockWallets([...new Set(charges.map(({ userId }) => userId))]),
      knownCharges(charges),
    );
    if (!again) for (const key of known.keys()) earlier.add(key);
    const chargedAt = new Date();
    const rows: unknown[][] = [];
    const changed = new Set<Wallet>();

    const outcomes = charges.map((charge): Outcome<ChargeResponse> => {
      const before = known.get(`${charge.userId} ${charge.key}`);
      if (before) {
        const ours = again && !earlier.has(`${charge.userId} ${charge.key}`);
        // A second request of this batch with the same key is a replay of the first.
        earlier.add(`${charge.userId} ${charge.key}`);
        return replay(charge, before, ours);
      }
      const wallet = wallets.get(charge.userId);
      if (!wallet) return refuse('U001');
      const previous = wallet.balance;
      const current = previous + charge.amount;
      if (current > MAX_WON) return refuse('U002');
      wallet.balance = current;
      wallet.version++;
      changed.add(wallet);
      rows.push([charge.userId, wallet.version, charge.amount, previous, current, charge.key, chargedAt]);
      const result = {
        user_id: charge.userId,
        idempotency_key: charge.key,
        amount: charge.amount,
        previous_balance: previous,
        current_balance: current,
        charged_at: chargedAt,
      };
      // A second request of this batch with the same key is answered from here.
      known.set(`${charge.userId} ${charge.key}`, result);
      return { ok: true, value: answerOf(result) };
    });

    if (rows.length > 0) tx.last(insertCharges(rows), writeBalances([...changed]));
    crashPoint('charge:computed');
    return outcomes;
  };
  const answers = await pool.transactionUntilKnown(deadline, work, record);
  crashPoint('charge:committed');
  return answers;
}

/** A plain read: under the lock of the user's row and READ COMMITTED it sees all that was committed before. */
export const knownCharges = (charges: Charge[]): Statement<Map<string, KnownCharge>> =>
  query(
    `SELECT user_id, idempotency_key, amount, previous_balance, current_balance, charged_at
       FROM balance_charge_history FORCE INDEX (uk_charge_key)
      WHERE (user_id, idempotency_key) IN (?)`,
    [charges.map(({ userId, key }) => [userId, key])],
    (rows: KnownCharge[]) => new Map(rows.map((row) => [`${row.user_id} ${row.idempotency_key}`, row])),
  );

const insertCharges = (rows: unknown[][]): Statement<number> =>
  writing(
    `INSERT INTO balance_charge_history
       (user_id, balance_version, amount, previous_balance, current_balance, idempotency_key, charged_at)
     VALUES ?`,
    [rows],
  );

/** After a COMMIT of unknown outcome the charge found is this very request's, which makes it no replay to the client. */
function replay(charge: Charge, before: KnownCharge, ours: boolean): Outcome<ChargeResponse> {
  if (won(before.amount) !== charge.amount) return refuse('I422', { field: 'amount' });
  return { ok: true, value: answerOf(before), replayed: !ours };
}

const answerOf = (charge: KnownCharge): ChargeResponse => ({
  userId: charge.user_id,
  previousBalance: won(charge.previous_balance),
  chargedAmount: won(charge.amount),
  currentBalance: won(charge.current_balance),
  chargedAt: charge.charged_at.toISOString(),
});
