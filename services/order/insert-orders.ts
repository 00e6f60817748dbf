import { type Statement, writing } from '../core/mysql.ts';
import { traceparent } from '../core/tracing/trace-context.ts';
import type { Checkout, NewOrder } from './new-order.ts';
import type { OrderPlaced } from './order-placed.ts';

const traceOf = ({ trace }: Checkout) => (trace ? traceparent(trace) : null);

/** Writes orders, items, payments and one outbox event each. Every row is new: nothing waits here. */
export const insertOrders = (orders: NewOrder[]): Statement<number>[] => [
  writing(
    `INSERT INTO orders
       (id, user_id, coupon_id, total_amount, discount_amount, final_amount, status, idempotency_key, created_at)
     VALUES ?`,
    [
      orders.map(({ checkout, answer, now }) => [
        answer.orderId,
        checkout.userId,
        checkout.couponId ?? null,
        answer.totalAmount,
        answer.discountAmount,
        answer.finalAmount,
        'PAID',
        checkout.key,
        now,
      ]),
    ],
  ),
  writing('INSERT INTO order_items (order_id, product_id, product_name, price, quantity, subtotal) VALUES ?', [
    orders.flatMap(({ answer }) =>
      answer.items.map((item) => [
        answer.orderId,
        item.productId,
        item.productName,
        item.price,
        item.quantity,
        item.subtotal,
      ]),
    ),
  ]),
  writing(
    `INSERT INTO payments (order_id, user_id, amount, previous_balance, current_balance, balance_version, paid_at)
     VALUES ?`,
    [
      orders.map(({ wallet, previousBalance, answer, now }) => [
        answer.orderId,
        wallet.userId,
        answer.finalAmount,
        previousBalance,
        wallet.balance,
        wallet.version,
        now,
      ]),
    ],
  ),
  writing(
    'INSERT INTO outbox_events (aggregate_id, event_type, payload, next_attempt_at, created_at, trace_parent) VALUES ?',
    [
      orders.map(({ checkout, answer, now }) => {
        const event: OrderPlaced = {
          orderId: answer.orderId,
          userId: checkout.userId,
          couponId: checkout.couponId ?? null,
          finalAmount: answer.finalAmount,
          createdAt: answer.createdAt,
          items: answer.items.map(({ productId, quantity }) => ({ productId, quantity })),
        };
        return [answer.orderId, 'ORDER_PLACED', JSON.stringify(event), now, now, traceOf(checkout)];
      }),
    ],
  ),
];
