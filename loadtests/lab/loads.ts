import type { Call } from './clients.ts';
import type { Write } from './strategy.ts';

/** The load of one write: the same for all its strategies. */
export interface Load {
  title: string;
  clients: number;
  /** Users in the data set. */
  users: number;
  /** The n-th write of the measured time. */
  next(n: number): Call;
}

/** Wallets that the charges fall on: few, as when many phones charge the same ones. */
const WALLETS = 10;

export const LOADS: Record<Write, Load> = {
  charge: {
    title: `100 clients charge ${WALLETS} wallets`,
    clients: 100,
    users: 1_000,
    next: (n) => ({
      path: `/api/users/test-user-${1 + (n % WALLETS)}/balance/charge`,
      // Different amounts, so that a count alone does not give the sum.
      body: { amount: 1_000 * (1 + (n % 7)) },
    }),
  },
  coupon: undefined as never,
  order: undefined as never,
};
