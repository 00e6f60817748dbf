import type { CartItemRow, ProductRow } from '../database/models.ts';
import type { CartItem } from './contract.ts';

/** An item as the API shows it, at the product's price of now: an order fixes it. */
export const toCartItem = (item: CartItemRow, product: ProductRow): CartItem => ({
  itemId: item.id,
  productId: product.id,
  productName: product.name,
  price: product.price,
  quantity: item.quantity,
  subtotal: product.price * item.quantity,
});
