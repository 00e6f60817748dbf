import type { z } from 'zod';
import { won } from '../core/money.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { CartItemRow, CartRow, Models, ProductRow } from '../database/models.ts';
import type { CartItem, readCartEndpoint } from './contract.ts';
import { toCartItem } from './item.ts';

type Cart = z.infer<typeof readCartEndpoint.answer>;

export async function readCart(models: Models, userId: string): Promise<Outcome<Cart>> {
  const [users, cart] = await Promise.all([
    models.users.count({ where: { id: userId } }),
    models.carts.findOne({ where: { user_id: userId }, raw: true }) as unknown as Promise<CartRow | null>,
  ]);
  if (users === 0) return refuse('U001');
  const items = cart ? await readItems(models, cart.id) : [];
  const totalAmount = won(items.reduce((sum, { subtotal }) => sum + subtotal, 0));
  return { ok: true, value: { userId, items, totalAmount } };
}

/** In the order in which they were put in: ids sort by time. A product that was deleted since is left out. */
async function readItems(models: Models, cartId: string): Promise<CartItem[]> {
  const items = (await models.cartItems.findAll({
    where: { cart_id: cartId },
    order: ['id'],
    raw: true,
  })) as unknown as CartItemRow[];
  if (items.length === 0) return [];
  const products = (await models.products.findAll({
    where: { id: items.map(({ product_id }) => product_id) },
    raw: true,
  })) as unknown as ProductRow[];
  const byId = new Map(products.map((product) => [product.id, product]));
  return items.flatMap((item) => {
    const product = byId.get(item.product_id);
    return product ? [toCartItem(item, product)] : [];
  });
}
