import { createConnection } from 'mysql2/promise';
import { createTopics, openKafka } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { seed } from '../seed/seed.ts';
import type { EngineSet } from './engine-set.ts';
import { flush } from './fault.ts';

/** The data of one run: a database and a namespace of its own, which go with it. */
export interface RunData {
  databaseUrl: string;
  namespace: string;
  remove(): Promise<void>;
}

/** `users` each have a cart of three products and 1,000,000 won. Redis begins empty. */
export async function seedRun(engines: EngineSet, users: number): Promise<RunData> {
  const namespace = `rush-${Date.now().toString(36)}`;
  const database = `onrush_${namespace.replaceAll('-', '_')}`;
  const databaseUrl = engines.databaseUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const kafkaBrokers = engines.kafkaBrokers.split(',');
  const names = namesOf(namespace);
  await flush(engines.redisUrl);
  await onMysql(engines, `CREATE DATABASE ${database}`);
  const sequelize = openSequelize(databaseUrl, 2);
  await migrate(sequelize, names.migrationLock);
  await sequelize.close();
  await createTopics({ kafkaBrokers, namespace, topicPartitions: 3, topicReplicas: 1 });
  await untilLed(kafkaBrokers, namespace);
  await seed({ databaseUrl, redisUrl: engines.redisUrl, kafkaBrokers, namespace, users });
  return {
    databaseUrl,
    namespace,
    async remove() {
      await onMysql(engines, `DROP DATABASE ${database}`);
      const admin = openKafka({ kafkaBrokers, namespace }, 'faults').admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [names.couponTopic, names.couponDeadTopic, names.orderTopic] });
      await admin.disconnect();
    },
  };
}

async function onMysql({ databaseUrl }: EngineSet, sql: string): Promise<void> {
  const connection = await createConnection(databaseUrl);
  await connection.query(sql);
  await connection.end();
}

/** A topic is there a moment before its partitions have a leader. */
async function untilLed(kafkaBrokers: string[], namespace: string): Promise<void> {
  const names = namesOf(namespace);
  const admin = openKafka({ kafkaBrokers, namespace }, 'faults').admin();
  await admin.connect();
  for (const topic of [names.couponTopic, names.couponDeadTopic, names.orderTopic])
    for (let attempt = 1; ; attempt++) {
      const offsets = await admin.fetchTopicOffsets(topic).catch((error) => {
        if (attempt === 20) throw error;
        return undefined;
      });
      if (offsets) break;
      await new Promise((wake) => setTimeout(wake, 250));
    }
  await admin.disconnect();
}
