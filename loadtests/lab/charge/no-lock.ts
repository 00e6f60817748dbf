import { refuse } from '../../../services/core/refusals.ts';
import type { ChargeStrategy } from '../strategy.ts';
import { insertCharge, readWallet, replay } from './wallet.ts';

/**
 * Broken: a transaction, but no lock. It reads the balance, adds to it, and writes the sum.
 *
 * A transaction keeps its writes together; it does not keep others from reading what it is about to change. Two
 * requests read 1,000 at the same time and add 500 and 700: both are told that all is well, the wallet ends at 1,500 or
 * at 1,700 instead of 2,200, and the history has two entries that begin at the same balance. One user at a time, every
 * test of this passes.
 */
export const noLock: ChargeStrategy =
  ({ pool, metrics }) =>
  (charge, deadline) =>
    pool.transaction(deadline, async (tx) => {
      const wallet = await readWallet(tx, charge.userId);
      if (!wallet) return refuse('U001');
      const before = await replay(tx, charge);
      if (before) return before;
      const answer = await insertCharge(tx, charge, wallet);
      // This statement waits for the other's row lock as well, but what it writes was computed before.
      const asked = performance.now();
      await tx.write('UPDATE users SET balance = ?, balance_version = ? WHERE id = ?', [
        wallet.balance + charge.amount,
        wallet.version + 1,
        charge.userId,
      ]);
      metrics.locks.waited('user_row', performance.now() - asked);
      return answer;
    });
