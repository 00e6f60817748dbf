import { redlocked } from '../redlock.ts';
import type { OrderStrategy } from '../strategy.ts';
import { checkout } from './checkout.ts';
import { takeIfEnough } from './take-stock.ts';

/**
 * One Redlock for all orders.
 *
 * Right: there is never more than one order at a time, so nothing can go wrong that needs two.
 * Where it ends: there is never more than one order at a time. The rate is 1 / (duration of an order), however many
 * processes, connections and cores there are, so whatever makes one order slow (a missing index) is paid by all; and the
 * longer the line, the longer the lock lies idle until one of those who wait happens to look.
 */
export const globalLock: OrderStrategy = (deps) => {
  const { pool, metrics } = deps;
  const locked = redlocked(deps);
  return (request, deadline) =>
    locked('orders', deadline, () => checkout(pool, metrics.locks, request, deadline, takeIfEnough));
};
