import type { Connection, RowDataPacket } from 'mysql2/promise';

/** What MySQL holds of a request. */
export interface FoundRow {
  table: string;
  values: Record<string, unknown>;
}

/** By what a row is found: the key of its request, or what its spans tell. */
export interface Wanted {
  key?: string | undefined;
  userId?: string | undefined;
  couponId?: string | undefined;
  orderId?: string | undefined;
}

/**
 * The rows that a request left. A key alone is looked for in whole indexes, since it belongs to a user: seconds with
 * millions of rows, and nothing is locked.
 */
export async function findRows(db: Connection, { key, userId, couponId, orderId }: Wanted): Promise<FoundRow[]> {
  const rows: FoundRow[] = [];
  const add = async (table: string, columns: string, condition: string, values: unknown[]) => {
    const [found] = await db.query<RowDataPacket[]>(
      `SELECT ${columns} FROM ${table} WHERE ${condition} LIMIT 20`,
      values,
    );
    rows.push(...found.map((row) => ({ table, values: { ...row } })));
    return found;
  };
  const byKey: [string, string[]] =
    userId === undefined
      ? ['idempotency_key = ?', [key ?? '']]
      : ['idempotency_key = ? AND user_id = ?', [key ?? '', userId]];
  if (key !== undefined) {
    await add(
      'balance_charge_history',
      'user_id, balance_version, amount, previous_balance, current_balance, idempotency_key, charged_at',
      ...byKey,
    );
  }
  const orders =
    orderId !== undefined
      ? await add('orders', ORDER, 'id = ?', [orderId])
      : key !== undefined
        ? await add('orders', ORDER, ...byKey)
        : [];
  for (const { id } of orders) {
    await add('order_items', 'product_id, price, quantity, subtotal', 'order_id = ?', [id]);
    await add('payments', 'user_id, amount, previous_balance, current_balance, balance_version', 'order_id = ?', [id]);
    await add('outbox_events', 'id, event_type, status, attempts, created_at, published_at', 'aggregate_id = ?', [id]);
  }
  if (couponId !== undefined && userId !== undefined) {
    await add('user_coupons', COUPON, 'user_id = ? AND coupon_id = ?', [userId, couponId]);
    await add(
      'coupon_rejections',
      'user_id, coupon_id, reason, stream_id, topic_partition, topic_offset, rejected_at',
      'coupon_id = ? AND user_id = ?',
      [couponId, userId],
    );
  } else if (key !== undefined) await add('user_coupons', COUPON, ...byKey);
  return rows;
}

const ORDER =
  'id, user_id, coupon_id, total_amount, discount_amount, final_amount, status, idempotency_key, created_at';
const COUPON = 'user_id, coupon_id, status, stream_id, topic_partition, topic_offset, accepted_at, issued_at, used_at';
