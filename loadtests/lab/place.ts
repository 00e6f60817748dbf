import type { Redis } from 'ioredis';
import type { Admin } from 'kafkajs';
import mysql, { type Connection } from 'mysql2/promise';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { createTopics } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { connectDatabase, connectKafka, connectRedis } from '../seed/connect.ts';
import { loosen } from './tables.ts';

/** Where the strategies compete: a database and a namespace of the lab's own, on the engines that are there. */
export interface Place {
  config: Config;
  /** What a process on this place is started with. */
  env: Record<string, string>;
  connection: Connection;
  redis: Redis;
  kafka: Admin;
  /** Removes the database. */
  close(): Promise<void>;
}

/** Drops what an earlier run left, creates the tables and takes their constraints away. @throws EngineAway */
export async function openPlace(env: Record<string, string | undefined>, name = 'lab'): Promise<Place> {
  const given = parseConfig(env);
  const url = new URL(given.databaseUrl.replace(/^mariadb:/, 'mysql:'));
  const database = `onrush_${name.replaceAll('-', '_')}`;
  url.pathname = '';
  const alter = async (sql: string) => {
    const server = await mysql.createConnection(url.href);
    await server.query(sql).finally(() => server.end());
  };
  await alter(`DROP DATABASE IF EXISTS ${database}`);
  await alter(`CREATE DATABASE ${database}`);
  const own = {
    DATABASE_URL: Object.assign(new URL(url), { pathname: `/${database}` }).href,
    REDIS_URL: given.redisUrl,
    KAFKA_BROKERS: given.kafkaBrokers.join(','),
    ONRUSH_NAMESPACE: name,
    AUTH: 'off',
    LOG_LEVEL: 'warn',
  };
  const config = parseConfig(own);
  const sequelize = openSequelize(config.databaseUrl, 2);
  await migrate(sequelize, namesOf(name).migrationLock).finally(() => sequelize.close());
  await createTopics(config);
  const connection = await connectDatabase(config.databaseUrl);
  await loosen(connection);
  const redis = await connectRedis(config.redisUrl);
  const kafka = await connectKafka(config.kafkaBrokers, name);
  return {
    config,
    env: own,
    connection,
    redis,
    kafka,
    async close() {
      redis.disconnect();
      await kafka.disconnect();
      await connection.end();
      await alter(`DROP DATABASE ${database}`);
    },
  };
}
