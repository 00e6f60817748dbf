import type { Redis } from 'ioredis';
import { type Admin, type Kafka, Partitioners } from 'kafkajs';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { parseConfig } from '../../services/core/config.ts';
import { createTopics, openKafka } from '../../services/core/kafka.ts';
import { type Names, namesOf } from '../../services/core/names.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { connectDatabase, connectKafka, connectRedis } from '../seed/connect.ts';
import { seed } from '../seed/seed.ts';
import { addActivity } from './activity.ts';

/**
 * Two databases of a test file's own: one migrated, seeded and with activity on it, whose constraints thereby vouch for
 * the activity; and a copy of its rows without keys and constraints, which can be corrupted and put back.
 */
export interface Fixture {
  namespace: string;
  names: Names;
  databaseUrl: string;
  looseUrl: string;
  redisUrl: string;
  kafkaBrokers: string[];
  /** Connected to the copy. */
  loose: Connection;
  redis: Redis;
  admin: Admin;
  /** Puts the copy, and what Redis admitted, back to the clean state. */
  restore(): Promise<void>;
  produce(topic: string): Promise<void>;
  close(): Promise<void>;
}

export const USERS = 200;

export async function openFixture(name: string): Promise<Fixture> {
  const config = parseConfig(process.env);
  const database = `onrush_${name}_${process.pid}`;
  const namespace = `${name}-${process.pid}`;
  const names = namesOf(namespace);
  const databaseUrl = withDatabase(config.databaseUrl, database);
  const looseUrl = withDatabase(config.databaseUrl, `${database}_loose`);

  const admin = await connectKafka(config.kafkaBrokers, namespace);
  const redis = await connectRedis(config.redisUrl);
  const root = await connectDatabase(config.databaseUrl);
  await root.query(`CREATE DATABASE ${database}`);
  await root.query(`CREATE DATABASE ${database}_loose`);
  await createTopics({ ...config, namespace });
  const sequelize = openSequelize(databaseUrl, 2);
  await migrate(sequelize, names.migrationLock);
  await sequelize.close();
  await seed({ ...config, databaseUrl, namespace, users: USERS });
  const strict = await connectDatabase(databaseUrl);
  await addActivity(strict);
  await strict.end();
  const loose = await connectDatabase(looseUrl);
  const [shown] = await root.query<RowDataPacket[]>(`SHOW TABLES FROM ${database}`);
  const tables = shown.flatMap((row) => Object.values(row) as string[]);
  for (const table of tables) await loose.query(`CREATE TABLE ${table} AS SELECT * FROM ${database}.${table} LIMIT 0`);

  return {
    namespace,
    names,
    databaseUrl,
    looseUrl,
    redisUrl: config.redisUrl,
    kafkaBrokers: config.kafkaBrokers,
    loose,
    redis,
    admin,
    async restore() {
      // In one commit, and not by creating the tables anew: that would take a second where this takes 50 ms.
      await loose.query('START TRANSACTION');
      for (const table of tables) {
        await loose.query(`DELETE FROM ${table}`);
        await loose.query(`INSERT INTO ${table} SELECT * FROM ${database}.${table}`);
      }
      await loose.query('COMMIT');
      await redis.del(names.stream, names.gate('test-coupon-1'), names.admitted('test-coupon-1'));
      await redis.hset(names.gate('test-coupon-1'), { instance: 'test', limit: 100_000 });
      const users = Array.from({ length: USERS }, (_, i) => [`test-user-${i + 1}`, '1-1|']);
      await redis.hset(names.admitted('test-coupon-1'), Object.fromEntries(users));
    },
    produce: (topic) => produceOne(openKafka({ kafkaBrokers: config.kafkaBrokers, namespace }, 'test'), topic),
    async close() {
      const keys = await redis.keys(`${namespace}:*`);
      if (keys.length > 0) await redis.del(...keys);
      redis.disconnect();
      await admin.deleteTopics({ topics: [names.couponTopic, names.couponDeadTopic, names.orderTopic] });
      await admin.disconnect();
      await loose.end();
      await root.query(`DROP DATABASE ${database}`);
      await root.query(`DROP DATABASE ${database}_loose`);
      await root.end();
    },
  };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function produceOne(kafka: Kafka, topic: string): Promise<void> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ key: 'test', value: '{}' }] });
  await producer.disconnect();
}
