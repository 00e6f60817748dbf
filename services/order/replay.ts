import { won } from '../core/money.ts';
import { type Query, query } from '../core/mysql.ts';
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

/** The orders that these users placed under these keys, by `user key`, with the answers they were given. */
export const findOrders = (wanted: { userId: string; key: string }[]): Query<Map<string, PlacedOrder>> =>
  query(
    `SELECT o.id, o.user_id, o.coupon_id, o.total_amount, o.discount_amount, o.final_amount, o.idempotency_key,
            o.created_at, i.product_id, i.product_name, i.price, i.quantity, i.subtotal
       FROM orders o FORCE INDEX (uk_order_key) STRAIGHT_JOIN order_items i FORCE INDEX (PRIMARY) ON i.order_id = o.id
      WHERE (o.user_id, o.idempotency_key) IN (?) ORDER BY o.id, i.product_id`,
    [wanted.map(({ userId, key }) => [userId, key])],
    (lines: (OrderRow & ItemRow)[]) => {
      const placed = new Map<string, PlacedOrder>();
      for (const of of Map.groupBy(lines, ({ id }) => id).values()) {
        const [order] = of;
        if (order)
          placed.set(`${order.user_id} ${order.idempotency_key}`, {
            couponId: order.coupon_id,
            answer: answerOf(order, of),
          });
      }
      return placed;
    },
  );

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
