import type { Sequelize } from 'sequelize';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { Models, ProductRow } from '../database/models.ts';
import type { CartItem } from './contract.ts';
import { toCartItem } from './item.ts';
import { lockOwnItem } from './lock-cart.ts';
import { cartTransaction } from './transaction.ts';

/** Sets the quantity of an item, whatever it was. */
export async function changeItem(
  { models, sequelize }: { models: Models; sequelize: Sequelize },
  { itemId, userId, quantity }: { itemId: string; userId: string; quantity: number },
  deadline: number,
): Promise<Outcome<CartItem>> {
  return cartTransaction(sequelize, deadline, async (transaction) => {
    const item = await lockOwnItem(models, transaction, { itemId, userId });
    if (!item.ok) return item;
    const product = (await models.products.findOne({
      where: { id: item.value.product_id },
      transaction,
      raw: true,
    })) as unknown as ProductRow | null;
    if (!product) return refuse('COMMON404');
    await models.cartItems.update({ quantity }, { where: { id: itemId }, transaction });
    return { ok: true, value: toCartItem({ ...item.value, quantity }, product) };
  });
}
