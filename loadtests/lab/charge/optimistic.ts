import { refuse } from '../../../services/core/refusals.ts';
import { Unavailable } from '../../../services/core/unavailable.ts';
import type { ChargeStrategy } from '../strategy.ts';
import { insertCharge, readWallet, replay } from './wallet.ts';

/**
 * Optimistic: reads without a lock, and writes only if the version is still the one that was read (compare and swap);
 * whoever finds it changed begins again.
 *
 * Right: the UPDATE with the version in its WHERE is the one moment that decides, and only one of two can match. Between
 * read and write nothing is held, which is what it is for: rows that are seldom contended, or a person who thinks
 * between the two.
 * Where it ends: on a hot wallet most of the work is thrown away (see its retries), and the loser has waited for the
 * winner's row lock all the same. Nobody is sure of a turn: luck decides who retries, so the slow ones are very slow.
 */
export const optimistic: ChargeStrategy = ({ pool, metrics }) => {
  return async (charge, deadline) => {
    for (;;) {
      const outcome = await pool.transaction(deadline, async (tx) => {
        const wallet = await readWallet(tx, charge.userId);
        if (!wallet) return refuse('U001');
        const before = await replay(tx, charge);
        if (before) return before;
        const asked = performance.now();
        const { affectedRows } = await tx.write(
          'UPDATE users SET balance = ?, balance_version = ? WHERE id = ? AND balance_version = ?',
          [wallet.balance + charge.amount, wallet.version + 1, charge.userId, wallet.version],
        );
        metrics.locks.waited('user_row', performance.now() - asked);
        return affectedRows === 0 ? 'changed' : insertCharge(tx, charge, wallet);
      });
      if (outcome !== 'changed') return outcome;
      metrics.locks.retried('charge', 'record_changed');
      if (Date.now() >= deadline) throw new Unavailable('COMMON503', 'the wallet changed all the time');
    }
  };
};
