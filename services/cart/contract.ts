import { z } from 'zod';
import { endpoint, id, wonAmount } from '../core/http/endpoint.ts';

const owner = z.strictObject({ userId: id });
const itemParams = z.strictObject({ itemId: id });
/** What one cart may hold of a product. */
const quantity = z.int().min(1).max(10_000);

export const cartItem = z.strictObject({
  itemId: id,
  productId: id,
  productName: z.string(),
  price: wonAmount,
  quantity: z.int(),
  subtotal: wonAmount,
});
export type CartItem = z.infer<typeof cartItem>;

export const addItemRequest = z.strictObject({ userId: id, productId: id, quantity });
export type AddItemRequest = z.infer<typeof addItemRequest>;

export const readCartEndpoint = endpoint({
  operation: 'readCart',
  method: 'get',
  path: '/api/cart',
  summary: 'A user’s cart; empty if there is none',
  query: owner,
  answer: z.strictObject({ userId: id, items: z.array(cartItem), totalAmount: wonAmount }),
  refusals: ['U001'],
});

export const addItemEndpoint = endpoint({
  operation: 'addCartItem',
  method: 'post',
  path: '/api/cart/items',
  summary: 'Put a product into the cart; a product already there adds to its quantity',
  body: addItemRequest,
  status: 201,
  answer: cartItem,
  refusals: ['U001', 'P404'],
});

export const changeItemEndpoint = endpoint({
  operation: 'changeCartItem',
  method: 'patch',
  path: '/api/cart/items/{itemId}',
  summary: 'Set the quantity of an item',
  params: itemParams,
  query: owner,
  body: z.strictObject({ quantity }),
  answer: cartItem,
  refusals: ['COMMON403', 'COMMON404'],
});

export const removeItemEndpoint = endpoint({
  operation: 'removeCartItem',
  method: 'delete',
  path: '/api/cart/items/{itemId}',
  summary: 'Take an item out of the cart',
  params: itemParams,
  query: owner,
  status: 204,
  refusals: ['COMMON403', 'COMMON404'],
});
