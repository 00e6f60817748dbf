import type { Wallet } from '../balance/index.ts';
import type { CartLine } from '../cart/index.ts';
import type { TraceContext } from '../core/tracing/trace-context.ts';
import type { OrderResponse } from './contract.ts';

/** A request to order what lies in a user's cart. */
export interface Checkout {
  userId: string;
  couponId: string | undefined;
  key: string;
  /** Where in which trace it was asked for, if that is recorded: its event carries it on. */
  trace?: TraceContext | undefined;
}

/** An order that all rules allow, not written yet. The wallet already is as it will be after the payment. */
export interface NewOrder {
  checkout: Checkout;
  wallet: Wallet;
  previousBalance: number;
  lines: CartLine[];
  answer: OrderResponse;
  now: Date;
}
