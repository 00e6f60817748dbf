import type { z } from 'zod';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { Models, OrderItemRow, OrderRow } from '../database/models.ts';
import type { listOrdersEndpoint, orderView } from './contract.ts';

type Query = z.infer<typeof listOrdersEndpoint.query>;
type Page = z.infer<typeof listOrdersEndpoint.answer>;
type OrderView = z.infer<typeof orderView>;

/** Newest first; orders of the same millisecond by id. A user that does not exist has none. */
export async function listOrders(models: Models, { userId, status, page, limit }: Query): Promise<Outcome<Page>> {
  const { rows, count } = await models.orders.findAndCountAll({
    where: { user_id: userId, ...(status === undefined ? {} : { status }) },
    order: [
      ['created_at', 'DESC'],
      ['id', 'DESC'],
    ],
    limit,
    offset: (page - 1) * limit,
    raw: true,
  });
  const items = await withItems(models, rows as unknown as OrderRow[]);
  return { ok: true, value: { items, page, limit, total: count } };
}

export async function readOrder(models: Models, orderId: string): Promise<Outcome<OrderView>> {
  const row = (await models.orders.findOne({ where: { id: orderId }, raw: true })) as unknown as OrderRow | null;
  if (!row) return refuse('O404');
  const [view] = await withItems(models, [row]);
  return view ? { ok: true, value: view } : refuse('O404');
}

/** The orders with their items, which one query reads for all of them. */
async function withItems(models: Models, orders: OrderRow[]): Promise<OrderView[]> {
  if (orders.length === 0) return [];
  const rows = (await models.orderItems.findAll({
    where: { order_id: orders.map(({ id }) => id) },
    order: ['order_id', 'product_id'],
    raw: true,
  })) as unknown as OrderItemRow[];
  const byOrder = Map.groupBy(rows, ({ order_id }) => order_id);
  return orders.map((order) => toOrderView(order, byOrder.get(order.id) ?? []));
}

const toOrderView = (order: OrderRow, items: OrderItemRow[]): OrderView => ({
  orderId: order.id,
  userId: order.user_id,
  couponId: order.coupon_id,
  status: order.status,
  items: items.map((item) => ({
    productId: item.product_id,
    productName: item.product_name,
    price: item.price,
    quantity: item.quantity,
    subtotal: item.subtotal,
  })),
  totalAmount: order.total_amount,
  discountAmount: order.discount_amount,
  finalAmount: order.final_amount,
  createdAt: order.created_at.toISOString(),
});
