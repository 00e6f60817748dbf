import { refuse } from '../../../services/core/refusals.ts';
import { OrderLock } from '../../../services/order/order-lock.ts';
import type { OrderStrategy } from '../strategy.ts';
import { checkout } from './checkout.ts';
import { takeIfEnough } from './take-stock.ts';

/** Milliseconds. */
const LIFE = 10_000;

/**
 * A Redlock on the user, then one transaction per order: ours without combining.
 *
 * Right: a second order of the same user is told so at once (409) and costs no connection; orders of different users
 * meet only where they must, at the stock of a product they both want. Should the lock fail, the rows below still hold.
 * Where it ends: a commit each, and under it the ten products that all orders share.
 */
export const userLock: OrderStrategy = ({ pool, metrics, redis, names }) => {
  const lock = new OrderLock(redis, names, LIFE, metrics.locks);
  return async (request, deadline) => {
    const held = await lock.acquire(request.userId, undefined);
    if (held.state === 'busy') return refuse('O409');
    try {
      return await checkout(pool, metrics.locks, request, deadline, takeIfEnough);
    } finally {
      await lock.release(held);
    }
  };
};
