import type { Sequelize, Transaction } from 'sequelize';
import { newId } from '../core/ids.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { CartItemRow, Models, ProductRow } from '../database/models.ts';
import { engineErrno } from '../database/sequelize.ts';
import type { AddItemRequest, CartItem } from './contract.ts';
import { toCartItem } from './item.ts';
import { lockCart } from './lock-cart.ts';
import { cartTransaction } from './transaction.ts';

/** ck_cart_items_quantity refused: MySQL's number, MariaDB's number. */
const CHECK_VIOLATED: unknown[] = [3819, 4025];

/**
 * Puts a product into the user's cart and creates the cart where there is none. Any number of adds may run at once: both
 * inserts meet the others in a unique key. The answer shows the item as this add left it: the cart stays locked until
 * the commit.
 */
export async function addItem(
  { models, sequelize }: { models: Models; sequelize: Sequelize },
  { userId, productId, quantity }: AddItemRequest,
  deadline: number,
): Promise<Outcome<CartItem>> {
  const [users, product] = await Promise.all([
    models.users.count({ where: { id: userId } }),
    models.products.findOne({ where: { id: productId }, raw: true }) as unknown as Promise<ProductRow | null>,
  ]);
  if (users === 0) return refuse('U001');
  if (!product) return refuse('P404');
  try {
    return await cartTransaction(sequelize, deadline, async (transaction) => {
      const cartId = await lockOrCreateCart(models, sequelize, userId, transaction);
      const where = { product_id: productId, cart_id: cartId };
      await sequelize.query(
        `INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE quantity = quantity + ?`,
        { replacements: [newId('item'), cartId, productId, quantity, quantity], transaction },
      );
      const item = (await models.cartItems.findOne({ where, transaction, raw: true })) as unknown as CartItemRow;
      return { ok: true, value: toCartItem(item, product) };
    });
  } catch (error) {
    if (!CHECK_VIOLATED.includes(engineErrno(error))) throw error;
    return refuse('COMMON400', { field: 'quantity', problem: 'the cart would hold more than 10,000 of this product' });
  }
}

/** The user's cart, locked; created where there is none. */
async function lockOrCreateCart(
  models: Models,
  sequelize: Sequelize,
  userId: string,
  transaction: Transaction,
): Promise<string> {
  const found = await lockCart(models, transaction, userId);
  if (found !== undefined) return found;
  const id = newId('cart');
  await sequelize.query('INSERT INTO carts (id, user_id) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = id', {
    replacements: [id, userId],
    transaction,
  });
  return (await lockCart(models, transaction, userId)) ?? id;
}
