import { noLock } from './charge/no-lock.ts';
import { rowLock } from './charge/row-lock.ts';
import type { ChargeStrategy, Write } from './strategy.ts';

interface Described {
  name: string;
  /** One line for the table. */
  title: string;
  /** Invariants of the verifier that turn red under load; none for a sound strategy. */
  breaks: string[];
}

/** A strategy and the way to start it: our real services, or the lab's server with the strategy in it. */
export type Strategy = Described & ({ write: Write; services: string } | { write: 'charge'; charge: ChargeStrategy });

export const STRATEGIES: Strategy[] = [
  {
    write: 'charge',
    name: 'ours',
    title: 'row lock, requests combined (the services)',
    breaks: [],
    services: 'balance-api',
  },
  { write: 'charge', name: 'row-lock', title: 'row lock, a transaction each', breaks: [], charge: rowLock },
  {
    write: 'charge',
    name: 'no-lock',
    title: 'a transaction, no lock',
    breaks: ['wallet-balance', 'wallet-chain'],
    charge: noLock,
  },
];
