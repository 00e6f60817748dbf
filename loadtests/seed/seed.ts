import type { Connection } from 'mysql2/promise';
import { parseConfig } from '../../services/core/config.ts';
import { newId } from '../../services/core/ids.ts';
import { namesOf } from '../../services/core/names.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { connectDatabase, connectKafka, connectRedis } from './connect.ts';
import { emptyTables } from './empty.ts';
import { dropDeadLetters, resetRanking } from './events.ts';
import { askForGate, closeGates, withGatesHeld } from './gates.ts';
import { type DataSet, dataSet, parseSeedOptions, USAGE } from './options.ts';
import { type OnProgress, showProgress } from './progress.ts';
import { COUPON_ID, insertCoupon, insertRows } from './rows.ts';

export interface SeedOptions extends Partial<DataSet> {
  databaseUrl: string;
  /** Without Redis and Kafka only the tables are seeded. */
  redisUrl?: string;
  kafkaBrokers?: string[];
  namespace: string;
  onProgress?: OnProgress;
}

export interface SeedReport {
  seconds: number;
  /** Rows of each table. */
  counts: Record<string, number>;
  couponId: string;
  generation: string;
}

/**
 * Replaces all data by the test data set; the same options give the same rows. An application that is running goes on:
 * until the end its users do not exist and its gates are closed.
 * @throws EngineAway, BadOption, or an Error that names what is missing. Nothing is deleted before all engines answered.
 */
export async function seed(options: SeedOptions): Promise<SeedReport> {
  const data = dataSet(options);
  const names = namesOf(options.namespace);
  const began = performance.now();
  await using open = new AsyncDisposableStack();
  const connection = await connectDatabase(options.databaseUrl);
  open.defer(() => connection.end());
  const redis = options.redisUrl ? await connectRedis(options.redisUrl) : undefined;
  open.defer(() => redis?.disconnect());
  const kafka = options.kafkaBrokers ? await connectKafka(options.kafkaBrokers, options.namespace) : undefined;
  open.defer(() => kafka?.disconnect());

  await requireSchema(connection);
  const generation = newId('gen');
  const counts = await withGatesHeld(connection, names, async () => {
    await emptyTables(connection);
    if (redis) await closeGates(redis, names);
    if (redis) await resetRanking(redis, kafka, names);
    if (kafka) await dropDeadLetters(kafka, names);
    await insertCoupon(connection, data.coupons, generation);
    const inserted = await insertRows(connection, data, options.onProgress ?? (() => undefined));
    await connection.query(`INSERT INTO run_baselines (kind, id, value) VALUES ('seed', 'epoch', ?)`, [Date.now()]);
    // Until its statistics thread comes by, the optimizer would plan as if the tables were empty.
    await connection.query(`ANALYZE TABLE ${Object.keys(inserted).join(', ')}`);
    return { ...inserted, coupons: 1 };
  });
  if (redis) await askForGate(redis, names);
  return { seconds: (performance.now() - began) / 1000, counts, couponId: COUPON_ID, generation };
}

async function requireSchema(connection: Connection): Promise<void> {
  const [rows] = await connection.query(`SHOW TABLES LIKE 'run\\_baselines'`);
  if ((rows as unknown[]).length === 0) throw new Error('the schema is missing: run npm run migrate first');
}

runAsProgram('loadtests/seed/seed.ts', async () => {
  const data = parseSeedOptions(process.argv.slice(2));
  if (data === 'help') {
    console.log(USAGE);
    return;
  }
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = parseConfig(process.env);
  const onProgress = showProgress(process.stdout);
  const report = await seed({ ...data, databaseUrl, redisUrl, kafkaBrokers, namespace, onProgress });
  const counts = Object.entries(report.counts).map(([table, rows]) => `${table} ${rows}`);
  console.log(`seeded in ${report.seconds.toFixed(2)} s: ${counts.join(', ')}`);
});
