import { createConnection } from 'mysql2/promise';
import { up } from '../../engines/up.ts';
import { parseConfig } from '../../services/core/config.ts';
import { createTopics } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { seed } from '../seed/seed.ts';
import { type Started, startServices } from './start-services.ts';

/** What the tests are told about the stack they run against, as JSON in ONRUSH_TEST_STACK. */
export interface StackEnv {
  urls: string[];
  databaseUrl: string;
  redisUrl: string;
  kafkaBrokers: string;
  namespace: string;
}

/** Users in the tests' data set. */
export const USERS = 2_000;

declare global {
  var onrushStarted: Started[] | undefined;
}

const EVERY_ROLE = [{}, {}];
/** As in a cluster: three processes with the APIs alone, and each worker twice. */
const API_ROLES = 'coupon-api,balance-api,order-api';
const WORKER_ROLES = 'coupon-gatekeeper,coupon-consumer,outbox-relay,projections';
const SPLIT = [API_ROLES, API_ROLES, API_ROLES, WORKER_ROLES, WORKER_ROLES].map((roles) => ({ ROLES: roles }));

/**
 * Real engines, a database and a namespace of this run's own, and two processes with every role, so that each race can be
 * run across them; with ONRUSH_TEST_PROCESSES=split the processes of a cluster.
 */
export default async function setup(): Promise<void> {
  const engines = await up();
  // Tests of the programs take the engines from where the programs do.
  process.env.DATABASE_URL = engines.mysql.url;
  process.env.REDIS_URL = engines.redis.url;
  process.env.KAFKA_BROKERS = engines.kafka.brokers;
  const namespace = `test-${Date.now().toString(36)}`;
  const database = `onrush_${namespace.replace('-', '_')}`;
  const databaseUrl = engines.mysql.url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const admin = await createConnection(engines.mysql.url);
  await admin.query(`CREATE DATABASE ${database}`);
  await admin.end();

  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: engines.redis.url,
    KAFKA_BROKERS: engines.kafka.brokers,
    ONRUSH_NAMESPACE: namespace,
    AUTH: 'off',
    LOG_LEVEL: 'warn',
    // Nobody reads their spans; loading what writes them takes a fifth of a second of each start.
    ONRUSH_TRACES: 'log',
  };
  const config = parseConfig(env);
  const sequelize = openSequelize(databaseUrl, 2);
  await migrate(sequelize, namesOf(namespace).migrationLock);
  await sequelize.close();
  await createTopics(config);
  await seed({ databaseUrl, redisUrl: env.REDIS_URL, kafkaBrokers: config.kafkaBrokers, namespace, users: USERS });

  const processes = process.env.ONRUSH_TEST_PROCESSES === 'split' ? SPLIT : EVERY_ROLE;
  globalThis.onrushStarted = await Promise.all(
    processes.map((roles, n) => startServices({ ...env, ...roles }, `test-${n + 1}`)),
  );
  const serving = globalThis.onrushStarted.slice(0, processes === SPLIT ? 3 : 2);
  const stack: StackEnv = {
    urls: serving.map(({ url }) => url),
    databaseUrl,
    redisUrl: env.REDIS_URL,
    kafkaBrokers: env.KAFKA_BROKERS,
    namespace,
  };
  process.env.ONRUSH_TEST_STACK = JSON.stringify(stack);
}
