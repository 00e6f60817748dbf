import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { openKafka } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import type { StackEnv } from './setup.ts';

/** Stops the processes and removes everything this run put into the engines. */
export default async function teardown(): Promise<void> {
  await Promise.all((globalThis.onrushStarted ?? []).map((started) => started.stop()));
  if (!process.env.ONRUSH_TEST_STACK) return;
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = JSON.parse(process.env.ONRUSH_TEST_STACK) as StackEnv;

  const database = await createConnection(databaseUrl);
  await database.query(`DROP DATABASE ${new URL(databaseUrl).pathname.slice(1)}`);
  await database.end();

  const redis = new Redis(redisUrl);
  for await (const keys of redis.scanStream({ match: `${namespace}:*`, count: 1_000 }))
    if (keys.length > 0) await redis.unlink(keys);
  await redis.quit();

  const names = namesOf(namespace);
  const admin = openKafka({ kafkaBrokers: kafkaBrokers.split(','), namespace }, 'test').admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [names.couponTopic, names.couponDeadTopic, names.orderTopic] });
  await admin.disconnect();
}
