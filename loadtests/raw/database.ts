import mysql from 'mysql2/promise';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { insertRows } from '../seed/rows.ts';

/** Beside the APIs' own database on the same engine. */
const NAME = 'onrush_raw';

/** Wallets and carts it is seeded with. */
export const RAW_USERS = 10_000;

/** Rich enough for any number of orders. Whole won. */
const BALANCE = 1_000_000_000_000;

export interface RawDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A new database with the tables of the services and a small data set; what an earlier run left is dropped. */
export async function createRawDatabase(databaseUrl: string): Promise<RawDatabase> {
  const url = new URL(databaseUrl.replace(/^mariadb:/, 'mysql:'));
  const server = new URL(url);
  server.pathname = '';
  const alter = async (sql: string) => {
    const connection = await mysql.createConnection(server.href);
    await connection.query(sql).finally(() => connection.end());
  };
  url.pathname = `/${NAME}`;
  await alter(`DROP DATABASE IF EXISTS ${NAME}`);
  await alter(`CREATE DATABASE ${NAME}`);
  const sequelize = openSequelize(url.href, 2);
  try {
    await migrate(sequelize, `${NAME}.migration`);
  } finally {
    await sequelize.close();
  }
  const connection = await mysql.createConnection(url.href);
  try {
    await insertRows(connection, { users: RAW_USERS, stock: 1_000_000_000, seed: 1 }, () => {});
    await connection.query('UPDATE users SET balance = ?', [BALANCE]);
    await connection.query('ANALYZE TABLE users, carts, cart_items, products, stocks');
  } finally {
    await connection.end();
  }
  return { url: url.href, drop: () => alter(`DROP DATABASE IF EXISTS ${NAME}`) };
}
