import type { Engines } from '../../engines/engines.ts';
import { readEngine } from '../../engines/running/read.ts';
import { masked } from '../../engines/say.ts';
import { up } from '../../engines/up.ts';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { createTopics } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import type { Invariants, Results } from '../report/results.ts';
import { showProgress } from '../seed/progress.ts';
import { seed } from '../seed/seed.ts';
import type { ClientFigures } from '../verify/figures.ts';
import type { BenchArguments } from './arguments.ts';
import { BenchFailure } from './failure.ts';
import { readInvariants } from './invariants.ts';

/** The coupon that every run hands out. */
export const COUPON = 'test-coupon-1';

/**
 * Engines, schema and topics; their endpoints go into the environment.
 * @throws BenchFailure before a database of somebody else's is changed without being asked to.
 */
export async function startEngines(
  given: Pick<BenchArguments, 'seed' | 'seedAsked'>,
  say: (line: string) => void,
): Promise<Results['engines']> {
  const engines = await up();
  // Before the migrations: a database of somebody else's is left as it is.
  if (engines.mysql.kind === 'external' && given.seed && !given.seedAsked)
    throw new BenchFailure(
      `DATABASE_URL names ${masked(engines.mysql.url)}, which this checkout did not start: --seed deletes what Onrush's tables hold there and fills them with the test data set, --no-seed goes on with the data that is there`,
    );
  process.env.DATABASE_URL = engines.mysql.url;
  process.env.REDIS_URL = engines.redis.url;
  process.env.KAFKA_BROKERS = engines.kafka.brokers;
  const config = parseConfig(process.env);
  const sequelize = openSequelize(config.databaseUrl, 2);
  try {
    const ran = await migrate(sequelize, namesOf(config.namespace).migrationLock);
    if (ran.length > 0) say(`migrations run: ${ran.join(', ')}`);
  } finally {
    await sequelize.close();
  }
  await createTopics(config);
  return enginesOf(engines);
}

const enginesOf = ({ mysql, redis, kafka }: Pick<Engines, 'mysql' | 'redis' | 'kafka'>): Results['engines'] =>
  Object.entries({ mysql, redis, kafka }).map(([name, { version, kind, durability }]) => ({
    name,
    version,
    kind,
    durability,
  }));

/** Of a deployment that runs already: only asked what they are. */
export async function readEngines(): Promise<Results['engines']> {
  const { databaseUrl, redisUrl, kafkaBrokers } = parseConfig(process.env);
  const read = async (name: 'mysql' | 'redis' | 'kafka', endpoint: string) => {
    const reading = await readEngine(name, { kind: 'external', endpoint });
    return { name, kind: 'external', ...reading };
  };
  return Promise.all([read('mysql', databaseUrl), read('redis', redisUrl), read('kafka', kafkaBrokers.join(','))]);
}

/** Replaces the data by the test data set. */
export async function seedData(config: Config, users: number, say: (line: string) => void): Promise<void> {
  say(`seeding ${users} users`);
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = config;
  const endpoints = { databaseUrl, redisUrl, kafkaBrokers, namespace };
  const { seconds } = await seed({ users, ...endpoints, onProgress: showProgress(process.stderr) });
  say(`seeded in ${seconds.toFixed(1)} s`);
}

/** Undefined, after a line, where the verifier could not do its work. */
export async function verifyAll(
  config: Config,
  figures: ClientFigures,
  say: (line: string) => void,
): Promise<Invariants | undefined> {
  say('verifying what the database holds');
  try {
    return await readInvariants(config, figures);
  } catch (error) {
    say(`the verifier could not do its work: ${(error as Error).message}`);
    return undefined;
  }
}
