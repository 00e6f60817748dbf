import { noLock } from './charge/no-lock.ts';
import { optimistic } from './charge/optimistic.ts';
import { redlockExpired } from './charge/redlock-expired.ts';
import { redlockOnly } from './charge/redlock-only.ts';
import { rowLock as chargeByRowLock } from './charge/row-lock.ts';
import { checkThenAct as issueUnchecked } from './coupon/check-then-act.ts';
import { classic } from './coupon/classic.ts';
import { rowLock as issueByRowLock } from './coupon/row-lock.ts';
import { staleGate } from './coupon/stale-gate.ts';
import { checkThenAct as orderUnchecked } from './order/check-then-act.ts';
import { globalLock } from './order/global-lock.ts';
import { rowsOnly } from './order/rows-only.ts';
import { userLock } from './order/user-lock.ts';
import type { ChargeStrategy, CouponStrategy, OrderStrategy } from './strategy.ts';

interface Described {
  name: string;
  /** What it is, in a few words. */
  title: string;
  /** Invariants of the verifier that turn red under load; none for a sound strategy. */
  breaks: string[];
  /** Connections of its pool, if not the lab's usual number. */
  pool?: number;
  /** False: cart_items has no index on cart_id. */
  cartIndex?: boolean;
  /** The strategy stands on a unique key of user and coupon. */
  uniqueCoupons?: boolean;
}

/** A strategy and the way to start it: the services with these roles, or the lab's server with the strategy in it. */
export type Strategy = Described &
  (
    | { write: 'coupon' | 'charge' | 'order'; services: string }
    | { write: 'coupon'; issue: CouponStrategy }
    | { write: 'charge'; charge: ChargeStrategy }
    | { write: 'order'; order: OrderStrategy }
  );

/** In the order in which they are run and shown. */
export const STRATEGIES: Strategy[] = [
  {
    write: 'coupon',
    name: 'ours',
    title: 'Lua gate, gatekeeper, consumer: the services',
    breaks: [],
    services: 'coupon-api,coupon-gatekeeper,coupon-consumer',
    uniqueCoupons: true,
  },
  {
    write: 'coupon',
    name: 'classic',
    title: 'Redlock, check in MySQL, publish, consume',
    breaks: [],
    issue: classic,
    uniqueCoupons: true,
  },
  { write: 'coupon', name: 'row-lock', title: 'row lock on the coupon', breaks: [], issue: issueByRowLock },
  {
    write: 'coupon',
    name: 'check-then-act',
    title: 'check, then act, in a transaction',
    breaks: ['coupon-total', 'coupon-once'],
    issue: issueUnchecked,
  },
  {
    write: 'coupon',
    name: 'stale-gate',
    title: 'gate by what was left ¼ s ago',
    breaks: ['coupon-total'],
    issue: staleGate,
  },

  {
    write: 'charge',
    name: 'ours',
    title: 'row lock, requests combined: the services',
    breaks: [],
    services: 'balance-api',
  },
  { write: 'charge', name: 'row-lock', title: 'row lock, a transaction each', breaks: [], charge: chargeByRowLock },
  { write: 'charge', name: 'optimistic', title: 'compare the version, else again', breaks: [], charge: optimistic },
  { write: 'charge', name: 'redlock-only', title: 'Redlock on the user, no row lock', breaks: [], charge: redlockOnly },
  {
    write: 'charge',
    name: 'redlock-expired',
    title: 'the same with a lock that is gone too soon',
    breaks: ['wallet-balance', 'wallet-chain'],
    charge: redlockExpired,
  },
  {
    write: 'charge',
    name: 'no-lock',
    title: 'a transaction, no lock',
    breaks: ['wallet-balance', 'wallet-chain'],
    charge: noLock,
  },

  {
    write: 'order',
    name: 'ours',
    title: 'Redlock on the user, requests combined: the services',
    breaks: [],
    services: 'order-api',
  },
  // The published story: the same program with one change after the other.
  {
    write: 'order',
    name: 'before',
    title: 'one Redlock for all, no index on cart_id, pool of 10',
    breaks: [],
    order: globalLock,
    cartIndex: false,
    pool: 10,
  },
  {
    write: 'order',
    name: 'user-lock-no-index',
    title: '… a Redlock for each user instead',
    breaks: [],
    order: userLock,
    cartIndex: false,
    pool: 10,
  },
  { write: 'order', name: 'user-lock-pool-10', title: '… and the index', breaks: [], order: userLock, pool: 10 },
  { write: 'order', name: 'user-lock', title: '… and a pool of 100', breaks: [], order: userLock, pool: 100 },
  { write: 'order', name: 'global-lock', title: 'one Redlock for all orders', breaks: [], order: globalLock },
  { write: 'order', name: 'rows-only', title: 'no Redlock, row locks alone', breaks: [], order: rowsOnly },
  {
    write: 'order',
    name: 'check-then-act',
    title: 'stock checked, then taken without looking',
    breaks: ['stock-negative'],
    order: orderUnchecked,
  },
];
