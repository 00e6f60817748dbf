import { parseArgs } from 'node:util';
import { BadOption, parsed } from '../../services/core/options.ts';

/** What to seed; every number has its default. */
export interface DataSet {
  users: number;
  coupons: number;
  stock: number;
  seed: number;
}

export const USAGE = `npm run seed -- [--users 100000] [--coupons 100000] [--stock 100000000] [--seed 1]
  --users    test-user-1 to test-user-N, each with 1,000,000 won and a cart of three products
  --coupons  quantity of test-coupon-1; by default 100,000, or the number of users if that is larger
  --stock    quantity of each of the ten products
  --seed     chooses which products lie in which cart; the same number gives the same carts`;

/** @throws BadOption whose message names the option, what was given and what was expected. */
export function parseSeedOptions(args: string[]): DataSet | 'help' {
  const text = { type: 'string' } as const;
  const given = parsed(() =>
    parseArgs({ args, options: { users: text, coupons: text, stock: text, seed: text, help: { type: 'boolean' } } }),
  ).values;
  if (given.help) return 'help';
  return dataSet({
    ...(given.users !== undefined && { users: whole('--users', given.users) }),
    ...(given.coupons !== undefined && { coupons: whole('--coupons', given.coupons) }),
    ...(given.stock !== undefined && { stock: whole('--stock', given.stock) }),
    ...(given.seed !== undefined && { seed: whole('--seed', given.seed) }),
  });
}

/** Fills in the defaults. @throws BadOption */
export function dataSet(given: Partial<DataSet>): DataSet {
  const users = inRange('--users', given.users ?? 100_000, 1, 10_000_000);
  return {
    users,
    coupons: inRange('--coupons', given.coupons ?? Math.max(100_000, users), 1, 10_000_000),
    stock: inRange('--stock', given.stock ?? 100_000_000, 0, Number.MAX_SAFE_INTEGER),
    seed: inRange('--seed', given.seed ?? 1, 0, 4_294_967_295),
  };
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new BadOption(`${name} "${text}": expected a whole number`);
  return Number(text);
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new BadOption(`${name} ${value}: expected a whole number from ${min} to ${max}`);
  return value;
}
