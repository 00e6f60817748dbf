import { z } from 'zod';
import { endpoint, id, pageLimit, pageNumber, time, wonAmount } from '../core/http/endpoint.ts';

export const orderRequest = z.strictObject({ userId: id, couponId: id.optional() });
export type OrderRequest = z.infer<typeof orderRequest>;

export const orderItem = z.strictObject({
  productId: id,
  productName: z.string(),
  price: wonAmount,
  quantity: z.int(),
  subtotal: wonAmount,
});

export const orderResponse = z.strictObject({
  orderId: id,
  items: z.array(orderItem),
  totalAmount: wonAmount,
  discountAmount: wonAmount,
  finalAmount: wonAmount,
  createdAt: time,
});
export type OrderResponse = z.infer<typeof orderResponse>;

export const orderView = z.strictObject({
  ...orderResponse.shape,
  userId: id,
  couponId: id.nullable(),
  status: z.enum(['PAID']),
});

export const placeOrderEndpoint = endpoint({
  operation: 'placeOrder',
  slowAfter: 131,
  method: 'post',
  path: '/api/orders',
  summary: 'Order and pay everything in the user’s cart',
  body: orderRequest,
  idempotent: true,
  answer: orderResponse,
  refusals: ['COMMON001', 'P001', 'P002', 'PAY001', 'C002', 'C003', 'C004', 'U001', 'O409', 'I422'],
});

export const listOrdersEndpoint = endpoint({
  operation: 'listOrders',
  method: 'get',
  path: '/api/orders',
  summary: 'Orders of a user, newest first',
  query: z.strictObject({ userId: id, status: z.enum(['PAID']).optional(), page: pageNumber, limit: pageLimit }),
  answer: z.strictObject({ items: z.array(orderView), page: z.int(), limit: z.int(), total: z.int() }),
});

export const readOrderEndpoint = endpoint({
  operation: 'readOrder',
  method: 'get',
  path: '/api/orders/{orderId}',
  summary: 'One order',
  params: z.strictObject({ orderId: id }),
  answer: orderView,
  refusals: ['O404'],
});
