import { won } from '../core/money.ts';
import { assertChanged, locking, type Query, query, type Statement, writing } from '../core/mysql.ts';

/** Products by id, with what is left of them. Money is whole won. */
export type Shelf = Map<string, { name: string; price: number; quantity: number }>;

/**
 * Reads these products and their stock without a lock: the quantity may be less by the time it is taken. Absent from the result
 * is what does not exist.
 */
export const readShelf = (productIds: string[]): Query<Shelf> =>
  query(
    `SELECT p.id, p.name, p.price, s.quantity
       FROM products p FORCE INDEX (PRIMARY) LEFT JOIN stocks s FORCE INDEX (PRIMARY) ON s.product_id = p.id
      WHERE p.id IN (?)`,
    // An empty list is no SQL.
    [productIds.length > 0 ? productIds : [null]],
    (rows: { id: string; name: string; price: number; quantity: number | null }[]) =>
      new Map(rows.map((row) => [row.id, { name: row.name, price: won(row.price), quantity: won(row.quantity ?? 0) }])),
  );

/**
 * Locks the stock rows of these products, in order of id, until the transaction ends. The quantity is read since for the key alone
 * MySQL 9.7 would read all of a small table, and wait for rows that others have locked.
 */
export const lockStock = (productIds: string[]): Statement<number> =>
  locking(
    'SELECT product_id, quantity FROM stocks FORCE INDEX (PRIMARY) WHERE product_id IN (?) ORDER BY product_id FOR UPDATE',
    [productIds],
    (rows) => rows.length,
  );

/**
 * Takes these quantities, locking the rows in order of id, until the transaction ends. If any product has less it fails
 * (isTooFew), and nothing that is sent behind it is done.
 */
export function takeFromStock(taken: Map<string, number>): Statement<unknown>[] {
  const sorted = [...taken].sort(([a], [b]) => (a < b ? -1 : 1));
  const quantity = `CASE product_id ${sorted.map(() => 'WHEN ? THEN ?').join(' ')} END`;
  return [
    writing(
      `UPDATE stocks FORCE INDEX (PRIMARY) SET quantity = quantity - ${quantity}
        WHERE product_id IN (?) AND quantity >= ${quantity} ORDER BY product_id`,
      [...sorted.flat(), sorted.map(([productId]) => productId), ...sorted.flat()],
    ),
    assertChanged(sorted.length),
  ];
}
