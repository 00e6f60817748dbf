import type { Connection, RowDataPacket } from 'mysql2/promise';
import { keysLike } from '../seed/gates.ts';
import { seed } from '../seed/seed.ts';
import type { Load } from './loads.ts';
import type { Place } from './place.ts';
import type { Strategy } from './strategies.ts';

/** The data set as new, with the keys that the strategy has, and nothing left of the one before it. */
export async function prepareRows(place: Place, strategy: Strategy, load: Load, users: number): Promise<void> {
  const { connection, redis, config } = place;
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = config;
  const left = await keysLike(redis, `${namespace}:lab:*`);
  if (left.length > 0) await redis.unlink(...left);
  // While the tables are empty, an index costs nothing to add.
  for (const table of ['cart_items', 'user_coupons']) await connection.query(`TRUNCATE TABLE ${table}`);
  await setKey(connection, 'cart_items', 'idx_cart_id', 'KEY', 'cart_id', strategy.cartIndex ?? true);
  await setKey(
    connection,
    'user_coupons',
    'uk_user_coupon',
    'UNIQUE KEY',
    'user_id, coupon_id',
    strategy.uniqueCoupons ?? false,
  );
  const engines = strategy.write === 'coupon' ? { redisUrl, kafkaBrokers } : {};
  await seed({ databaseUrl, namespace, users, ...engines });
  await load.last?.prepare(connection, users);
}

async function setKey(
  connection: Connection,
  table: string,
  name: string,
  kind: 'KEY' | 'UNIQUE KEY',
  columns: string,
  wanted: boolean,
): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>(`SHOW KEYS FROM ${table} WHERE Key_name = ?`, [name]);
  if (rows.length > 0 === wanted) return;
  await connection.query(`ALTER TABLE ${table} ${wanted ? `ADD ${kind} ${name} (${columns})` : `DROP KEY ${name}`}`);
}
