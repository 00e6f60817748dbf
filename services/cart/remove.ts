import type { Sequelize } from 'sequelize';
import type { Outcome } from '../core/refusals.ts';
import type { Models } from '../database/models.ts';
import { lockOwnItem } from './lock-cart.ts';
import { cartTransaction } from './transaction.ts';

export async function removeItem(
  { models, sequelize }: { models: Models; sequelize: Sequelize },
  asked: { itemId: string; userId: string },
  deadline: number,
): Promise<Outcome<undefined>> {
  return cartTransaction(sequelize, deadline, async (transaction) => {
    const item = await lockOwnItem(models, transaction, asked);
    if (!item.ok) return item;
    await models.cartItems.destroy({ where: { id: asked.itemId }, transaction });
    return { ok: true, value: undefined };
  });
}
