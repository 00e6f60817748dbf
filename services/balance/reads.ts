import { Op } from 'sequelize';
import type { z } from 'zod';
import { won } from '../core/money.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { ChargeRow, Models, UserRow } from '../database/models.ts';
import type { BalanceResponse, HistoryResponse, historyEndpoint } from './contract.ts';

export async function readBalance(models: Models, userId: string): Promise<Outcome<BalanceResponse>> {
  const row = (await models.users.findOne({
    attributes: ['balance'],
    where: { id: userId },
    raw: true,
  })) as unknown as Pick<UserRow, 'balance'> | null;
  return row ? { ok: true, value: { userId, balance: won(row.balance) } } : refuse('U001');
}

/**
 * Charges, newest first. The cursor is the balance version of the last one on the page before, so that charges which
 * arrive meanwhile move nothing from page to page.
 */
export async function readHistory(
  models: Models,
  userId: string,
  { cursor, limit }: z.infer<typeof historyEndpoint.query>,
): Promise<Outcome<HistoryResponse>> {
  const older = cursor === undefined ? {} : { balance_version: { [Op.lt]: Number(cursor) } };
  const [users, found] = await Promise.all([
    models.users.count({ where: { id: userId } }),
    models.charges.findAll({
      where: { user_id: userId, ...older },
      order: [['balance_version', 'DESC']],
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
      raw: true,
    }) as unknown as Promise<ChargeRow[]>,
  ]);
  if (users === 0) return refuse('U001');
  const charges = found.slice(0, limit);
  const last = found.length > limit ? charges.at(-1) : undefined;
  return {
    ok: true,
    value: {
      userId,
      items: charges.map((charge) => ({
        amount: charge.amount,
        previousBalance: charge.previous_balance,
        currentBalance: charge.current_balance,
        balanceVersion: charge.balance_version,
        chargedAt: charge.charged_at.toISOString(),
      })),
      ...(last ? { nextCursor: String(last.balance_version) } : {}),
    },
  };
}
