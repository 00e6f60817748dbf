import type { Tx } from '../core/mysql.ts';

export interface CartLine {
  itemId: string;
  productId: string;
  quantity: number;
}

/**
 * Locks the carts of these users and what lies in them, until the transaction ends, and returns the lines by user, each
 * cart's in order of product id. What is put into a cart meanwhile stays there for the next order.
 */
export async function lockCarts(tx: Tx, userIds: string[]): Promise<Map<string, CartLine[]>> {
  if (userIds.length === 0) return new Map();
  const rows = await tx.rows<{ user_id: string; id: string; product_id: string; quantity: number }>(
    `SELECT c.user_id, i.id, i.product_id, i.quantity
       FROM carts c JOIN cart_items i ON i.cart_id = c.id
      WHERE c.user_id IN (?) ORDER BY c.user_id, i.product_id FOR UPDATE`,
    [userIds],
  );
  const lines = rows.map((row) => ({
    userId: row.user_id,
    itemId: row.id,
    productId: row.product_id,
    quantity: row.quantity,
  }));
  return Map.groupBy(lines, ({ userId }) => userId);
}

/** Removes exactly these lines, which the transaction has locked. */
export async function removeLines(tx: Tx, lines: CartLine[]): Promise<void> {
  const result = await tx.write('DELETE FROM cart_items WHERE id IN (?)', [lines.map(({ itemId }) => itemId)]);
  if (result.affectedRows !== lines.length)
    throw new Error(`${result.affectedRows} of ${lines.length} locked cart lines were removed`);
}
