import { refuse } from '../../../services/core/refusals.ts';
import type { ChargeStrategy } from '../strategy.ts';
import { insertCharge, lockWallet, replay } from './wallet.ts';

/**
 * Plain row lock: each request locks its user's row (SELECT … FOR UPDATE), computes, writes and commits, alone.
 *
 * Right: whoever comes second waits at the SELECT and then reads what the first has committed. The lock needs no
 * expiry, no retry and no second system: it ends with the transaction, also if the process dies.
 * Where it ends: a hot wallet takes one request per commit, and while they wait, requests hold a connection each.
 */
export const rowLock: ChargeStrategy =
  ({ pool, metrics }) =>
  (charge, deadline) =>
    pool.transaction(deadline, async (tx) => {
      const asked = performance.now();
      const wallet = await lockWallet(tx, charge.userId);
      metrics.locks.waited('user_row', performance.now() - asked);
      if (!wallet) return refuse('U001');
      const before = await replay(tx, charge);
      if (before) return before;
      const answer = await insertCharge(tx, charge, wallet);
      await tx.write('UPDATE users SET balance = ?, balance_version = ? WHERE id = ?', [
        wallet.balance + charge.amount,
        wallet.version + 1,
        charge.userId,
      ]);
      return answer;
    });
