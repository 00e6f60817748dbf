import { won } from '../core/money.ts';
import type { OrderResponse } from './contract.ts';

interface OrderRow {
  id: string;
  user_id: string;
  coupon_id: string | null;
  total_amount: number;
  discount_amount: number;
  final_amount: number;
  idempotency_key: string;
  created_at: Date;
}
interface ItemRow {
  order_id: string;
  product_id: string;
  product_name: string;
  price: number;
  quantity: number;
  subtotal: number;
}

export interface PlacedOrder {
  couponId: string | null;
  answer: OrderResponse;
}

/** Whatever can read: a transaction that holds the users' locks, or the pool for a look without them. */
interface Reader {
  rows<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** The orders that these users placed under these keys, by `user key`, with the answers they were given. */
export async function findOrders(
  reader: Reader,
  wanted: { userId: string; key: string }[],
): Promise<Map<string, PlacedOrder>> {
  const orders = await reader.rows<OrderRow>(
    `SELECT id, user_id, coupon_id, total_amount, discount_amount, final_amount, idempotency_key, created_at
       FROM orders WHERE (user_id, idempotency_key) IN (?)`,
    [wanted.map(({ userId, key }) => [userId, key])],
  );
  if (orders.length === 0) return new Map();
  const items = await reader.rows<ItemRow>(
    `SELECT order_id, product_id, product_name, price, quantity, subtotal
       FROM order_items WHERE order_id IN (?) ORDER BY order_id, product_id`,
    [orders.map(({ id }) => id)],
  );
  const itemsOf = Map.groupBy(items, (item) => item.order_id);
  return new Map(
    orders.map((order) => [
      `${order.user_id} ${order.idempotency_key}`,
      { couponId: order.coupon_id, answer: answerOf(order, itemsOf.get(order.id) ?? []) },
    ]),
  );
}

const answerOf = (order: OrderRow, items: ItemRow[]): OrderResponse => ({
  orderId: order.id,
  items: items.map((item) => ({
    productId: item.product_id,
    productName: item.product_name,
    price: won(item.price),
    quantity: item.quantity,
    subtotal: won(item.subtotal),
  })),
  totalAmount: won(order.total_amount),
  discountAmount: won(order.discount_amount),
  finalAmount: won(order.final_amount),
  createdAt: order.created_at.toISOString(),
});
