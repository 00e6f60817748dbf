import type { OrderStrategy } from '../strategy.ts';
import { checkout, type TakeStock } from './checkout.ts';

/**
 * Broken: the stock is checked when the order is composed, and taken without looking again.
 *
 * The subtraction itself is one statement, so no piece is ever lost from the sum: as long as there is plenty, this passes
 * every load test. The last pieces are sold to everyone who looked while they were there, and the stock goes below
 * zero. (A CHECK on the column would turn that into an error 500 for the buyer, late.)
 */
export const checkThenAct: OrderStrategy =
  ({ pool, metrics }) =>
  (request, deadline) =>
    checkout(pool, metrics.locks, request, deadline, takeBlindly);

const takeBlindly: TakeStock = async (tx, lines) => {
  const quantity = `CASE product_id ${lines.map(() => 'WHEN ? THEN ?').join(' ')} END`;
  await tx.write(`UPDATE stocks SET quantity = quantity - ${quantity} WHERE product_id IN (?) ORDER BY product_id`, [
    ...lines.flatMap(({ productId, quantity }) => [productId, quantity]),
    lines.map(({ productId }) => productId),
  ]);
  return true;
};
