import { takeFromStock } from '../../../services/catalog/index.ts';
import { isTooFew } from '../../../services/core/mysql.ts';
import type { TakeStock } from './checkout.ts';

/**
 * One UPDATE of all products in order of their ids, each only if there is enough: it looks and takes in one step, under
 * the rows' locks, and no two orders wait for each other.
 */
export const takeIfEnough: TakeStock = async (tx, lines) => {
  const taken = new Map(lines.map(({ productId, quantity }) => [productId, quantity]));
  return tx.run(...takeFromStock(taken)).then(
    () => true,
    (error) => {
      if (isTooFew(error)) return false;
      throw error;
    },
  );
};
