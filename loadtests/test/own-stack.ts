import { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import { createConnection, createPool, type Pool, type RowDataPacket } from 'mysql2/promise';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { createTopics, openKafka } from '../../services/core/kafka.ts';
import { type Names, namesOf } from '../../services/core/names.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { stack } from './stack.ts';
import { type Started, startServices } from './start-services.ts';

/** A database and a namespace of one test file's own, on the engines of the test run. */
export interface OwnStack {
  env: Record<string, string>;
  config: Config;
  names: Names;
  db: Pool;
  redis: Redis;
  kafka: Kafka;
  /** The single value of a query's first row. */
  value(sql: string, values?: unknown[]): Promise<number>;
  /** Starts services/main.ts on this stack. */
  start(env?: Record<string, string>): Promise<Started>;
  /** Ends the processes that still run and removes everything. */
  remove(): Promise<void>;
}

export interface OwnStackOptions {
  /** Users own-1, own-2, … with 1,000,000 won each. */
  users?: number;
  schema?: boolean;
  topics?: boolean;
}

/** `name`: at most ten of a-z and 0-9. */
export async function ownStack(name: string, options: OwnStackOptions = {}): Promise<OwnStack> {
  const shared = stack().env;
  const namespace = `${shared.namespace}-${name}`;
  const database = `onrush_${namespace.replaceAll('-', '_')}`;
  const databaseUrl = shared.databaseUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const admin = await createConnection(shared.databaseUrl);
  await admin.query(`CREATE DATABASE ${database}`);
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: shared.redisUrl,
    KAFKA_BROKERS: shared.kafkaBrokers,
    ONRUSH_NAMESPACE: namespace,
    AUTH: 'off',
    LOG_LEVEL: 'info',
    // As in setup.ts.
    ONRUSH_TRACES: 'log',
  };
  const config = parseConfig(env);
  const names = namesOf(namespace);
  if (options.schema ?? true) {
    const sequelize = openSequelize(databaseUrl, 2);
    await migrate(sequelize, names.migrationLock);
    await sequelize.close();
  }
  if (options.topics) await createTopics(config);
  const db = createPool({ uri: databaseUrl, connectionLimit: 8, timezone: 'Z' });
  if (options.users) {
    const rows = Array.from({ length: options.users }, (_, n) => [`own-${n + 1}`, `Own ${n + 1}`, 1_000_000]);
    await db.query('INSERT INTO users (id, name, balance) VALUES ?', [rows]);
  }
  const redis = new Redis(shared.redisUrl);
  const kafka = openKafka(config, 'test');
  const started: Started[] = [];
  let starts = 0;
  return {
    env,
    config,
    names,
    db,
    redis,
    kafka,
    async value(sql, values = []) {
      const [rows] = await db.query<RowDataPacket[]>(sql, values);
      return Number(Object.values(rows[0] ?? {})[0]);
    },
    async start(more = {}) {
      const one = await startServices({ ...env, ...more }, `test-${name}-${++starts}`);
      started.push(one);
      return one;
    },
    async remove() {
      await Promise.all(started.map((one) => one.child.exitCode ?? one.child.signalCode ?? one.stop()));
      await db.end();
      await admin.query(`DROP DATABASE ${database}`);
      await admin.end();
      for await (const keys of redis.scanStream({ match: `${namespace}:*`, count: 1_000 }))
        if (keys.length > 0) await redis.unlink(keys);
      redis.disconnect();
      if (options.topics) {
        const topics = kafka.admin();
        await topics.connect();
        const ours = (await topics.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`));
        if (ours.length > 0) await topics.deleteTopics({ topics: ours });
        const { groups } = await topics.listGroups();
        const left = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(`${namespace}.`));
        // One whose member was killed a moment ago cannot be deleted yet; without a topic it means nothing.
        await topics.deleteGroups(left).catch(() => {});
        await topics.disconnect();
      }
    },
  };
}
