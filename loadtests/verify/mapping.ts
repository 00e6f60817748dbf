import { readFile } from 'node:fs/promises';
import type { Connection } from 'mysql2/promise';
import { z } from 'zod';

/**
 * The checks are written against these sources and columns, never against tables, so that the database of another
 * system can be judged by mapping its tables to them. Charges and payments are those since the baselines were taken.
 */
export const SOURCES = {
  wallets: ['user_id', 'balance', 'balance_version'],
  charges: ['user_id', 'balance_version', 'amount', 'previous_balance', 'current_balance'],
  payments: ['order_id', 'user_id', 'balance_version', 'amount', 'previous_balance', 'current_balance'],
  stock: ['product_id', 'quantity'],
  /** Prices as they were when every order was placed: nothing changes them under load. */
  products: ['product_id', 'price'],
  orders: ['order_id', 'user_id', 'coupon_id', 'total_amount', 'discount_amount', 'final_amount'],
  order_items: ['order_id', 'product_id', 'price', 'quantity', 'subtotal'],
  coupons: [
    'coupon_id',
    'discount_type',
    'discount_value',
    'min_order_amount',
    'max_discount_amount',
    'total_quantity',
    'issued_quantity',
  ],
  /** `used`: 1 once an order took it, else 0. */
  user_coupons: ['user_id', 'coupon_id', 'used'],
  rejections: ['user_id', 'coupon_id'],
  /** One row for each event that an order raised; `pending` and `failed` are 0 or 1. */
  events: ['order_id', 'pending', 'failed'],
  /** kind `wallet`: won and balance_version of a user; kind `stock`: quantity of a product. */
  baselines: ['kind', 'id', 'value', 'version'],
} as const;
export type Source = keyof typeof SOURCES;

/** For each source the SELECT that yields its columns; the checks of a source that is left out are not made. */
export type Mapping = Partial<Record<Source, string>>;

export const ONRUSH: Mapping = {
  wallets: 'SELECT id AS user_id, balance, balance_version FROM users',
  charges: 'SELECT user_id, balance_version, amount, previous_balance, current_balance FROM balance_charge_history',
  payments: 'SELECT order_id, user_id, balance_version, amount, previous_balance, current_balance FROM payments',
  stock: 'SELECT product_id, quantity FROM stocks',
  products: 'SELECT id AS product_id, price FROM products',
  orders: 'SELECT id AS order_id, user_id, coupon_id, total_amount, discount_amount, final_amount FROM orders',
  order_items: 'SELECT order_id, product_id, price, quantity, subtotal FROM order_items',
  coupons: `SELECT id AS coupon_id, discount_type, discount_value, min_order_amount, max_discount_amount,
    total_quantity, issued_quantity FROM coupons`,
  user_coupons: `SELECT user_id, coupon_id, status = 'USED' AS used FROM user_coupons`,
  rejections: 'SELECT user_id, coupon_id FROM coupon_rejections',
  // Orders are the only aggregates that raise events.
  events: `SELECT aggregate_id AS order_id, status = 'PENDING' AS pending, status = 'FAILED' AS failed
    FROM outbox_events`,
  baselines: 'SELECT kind, id, value, version FROM run_baselines',
};

export class BadMapping extends Error {
  override name = 'BadMapping';
}

/** Reads `{"wallets": "SELECT …", …}`. @throws BadMapping */
export async function readMapping(file: string): Promise<Mapping> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new BadMapping(`${file}: ${error.message}`);
  });
  const names = Object.keys(SOURCES) as Source[];
  const parsed = z.partialRecord(z.enum(names), z.string().regex(/^\s*(SELECT|WITH)\b/i, 'expected a SELECT'));
  try {
    return parsed.parse(JSON.parse(text)) as Mapping;
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new BadMapping(`${file}: ${reason}\nexpected JSON of source → SELECT; sources: ${names.join(', ')}`);
  }
}

/** The head of a statement that reads from the given sources. */
export function withSources(mapping: Mapping, sources: readonly Source[]): string {
  return `WITH ${sources.map((source) => `${source} AS (${mapping[source]})`).join(', ')}`;
}

/** Sees that every mapped source can be read and has its columns. @throws BadMapping that names the source */
export async function requireSources(connection: Connection, mapping: Mapping): Promise<void> {
  for (const source of Object.keys(mapping) as Source[]) {
    try {
      await connection.query(
        `${withSources(mapping, [source])} SELECT ${SOURCES[source].join(', ')} FROM ${source} LIMIT 0`,
      );
    } catch (error) {
      const hint = mapping === ONRUSH ? '; was npm run migrate run?' : '';
      throw new BadMapping(`the source ${source} cannot be read: ${(error as Error).message}${hint}`);
    }
  }
}
