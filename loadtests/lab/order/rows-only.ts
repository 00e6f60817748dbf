import type { OrderStrategy } from '../strategy.ts';
import { checkout } from './checkout.ts';
import { takeIfEnough } from './take-stock.ts';

/**
 * No Redlock, rows only: MySQL's row locks do it all.
 *
 * Right: two orders of one user wait for each other at the user's row, two orders of one product at its stock. It is
 * what all the sound strategies here rest on; locks in front of it only decide who gets so far.
 * Where it ends: a user who taps five times gets five orders, one after the other, if the cart is still full; and each
 * tap costs a connection while it waits.
 */
export const rowsOnly: OrderStrategy =
  ({ pool, metrics }) =>
  (request, deadline) =>
    checkout(pool, metrics.locks, request, deadline, takeIfEnough);
