import { locking, type Statement, writing } from '../core/mysql.ts';

export interface CartLine {
  itemId: string;
  productId: string;
  quantity: number;
}

/**
 * Locks the carts of these users and what lies in them, until the transaction ends, and returns the lines by user, each
 * cart's in order of product id. What is put into a cart meanwhile stays there for the next order.
 */
export const lockCarts = (userIds: string[]): Statement<Map<string, CartLine[]>> =>
  locking(
    `SELECT c.user_id, i.id, i.product_id, i.quantity
       FROM carts c FORCE INDEX (uk_cart_user) STRAIGHT_JOIN cart_items i FORCE INDEX (idx_cart_id) ON i.cart_id = c.id
      WHERE c.user_id IN (?) ORDER BY c.user_id, i.product_id FOR UPDATE`,
    [userIds],
    (rows: { user_id: string; id: string; product_id: string; quantity: number }[]) => {
      const carts = new Map<string, CartLine[]>();
      for (const row of rows) {
        const line = { itemId: row.id, productId: row.product_id, quantity: row.quantity };
        const lines = carts.get(row.user_id);
        if (lines) lines.push(line);
        else carts.set(row.user_id, [line]);
      }
      return carts;
    },
  );

/** Removes exactly these lines, which the transaction has locked. */
export const removeLines = (lines: CartLine[]): Statement<number> =>
  writing('DELETE FROM cart_items WHERE id IN (?)', [lines.map(({ itemId }) => itemId)]);
