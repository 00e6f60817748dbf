import type { Transaction } from 'sequelize';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { CartItemRow, CartRow, Models } from '../database/models.ts';

/**
 * Locks a user's cart until the transaction ends and returns its id, or undefined where there is none. Whoever writes
 * a cart's items holds the cart, as the checkout does: their rows and indexes are locked in another order by an insert
 * than by a delete, and without the cart in front of them the two deadlock.
 */
export async function lockCart(models: Models, transaction: Transaction, userId: string): Promise<string | undefined> {
  const cart = (await models.carts.findOne({
    where: { user_id: userId },
    lock: transaction.LOCK.UPDATE,
    transaction,
    raw: true,
  })) as unknown as CartRow | null;
  return cart?.id;
}

/** Locks the user's cart and reads an item of it. */
export async function lockOwnItem(
  models: Models,
  transaction: Transaction,
  { itemId, userId }: { itemId: string; userId: string },
): Promise<Outcome<CartItemRow>> {
  const cartId = await lockCart(models, transaction, userId);
  const item = (await models.cartItems.findOne({
    where: { id: itemId },
    transaction,
    raw: true,
  })) as unknown as CartItemRow | null;
  if (!item) return refuse('COMMON404');
  return item.cart_id === cartId ? { ok: true, value: item } : refuse('COMMON403');
}
