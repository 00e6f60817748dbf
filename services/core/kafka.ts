import './kafka-idle.ts';
import { Kafka, logLevel } from 'kafkajs';
import type { Config } from './config.ts';
import { namesOf } from './names.ts';

type KafkaSettings = Pick<Config, 'kafkaBrokers' | 'namespace' | 'topicPartitions' | 'topicReplicas'>;

/**
 * A client with bounded waits: a broker that is away makes a call fail within seconds, and the caller's own loop tries again.
 */
export function openKafka(config: Pick<Config, 'kafkaBrokers' | 'namespace'>, clientId: string): Kafka {
  return new Kafka({
    clientId: `${config.namespace}-${clientId}`,
    brokers: config.kafkaBrokers,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: logLevel.NOTHING,
  });
}

/** Creates the topics that are missing and returns their names. Runs with the migrations; brokers never create any by themselves. */
export async function createTopics(config: KafkaSettings): Promise<string[]> {
  const names = namesOf(config.namespace);
  const admin = openKafka(config, 'migration').admin();
  await admin.connect();
  try {
    const present = await admin.listTopics();
    const missing = [names.couponTopic, names.couponDeadTopic, names.orderTopic].filter(
      (topic) => !present.includes(topic),
    );
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({
          topic,
          numPartitions: topic === names.couponDeadTopic ? 1 : config.topicPartitions,
          replicationFactor: config.topicReplicas,
        })),
      });
    }
    return missing;
  } finally {
    await admin.disconnect();
  }
}
