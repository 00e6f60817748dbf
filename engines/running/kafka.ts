import '../../services/core/kafka-idle.ts';
// The default import: Node finds only some of this CommonJS module's names.
import kafkajs from 'kafkajs';
import type { Reading } from '../engines.ts';

const asked = [
  'min.insync.replicas',
  'default.replication.factor',
  'unclean.leader.election.enable',
  'log.flush.interval.messages',
];
const never = '9223372036854775807';

/** Connects once and reads what the brokers say; throws if none answers within 3 s. The version is not theirs to tell. */
export async function readKafka(brokers: string): Promise<Omit<Reading, 'version'>> {
  const kafka = new kafkajs.Kafka({
    brokers: brokers.split(','),
    clientId: 'onrush-engines',
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 3_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    const first = cluster.brokers[0];
    if (!first) throw new Error('the cluster has no broker yet');
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: String(first.nodeId), configNames: asked }],
      includeSynonyms: false,
    });
    const entries = resources[0]?.configEntries ?? [];
    const value = (name: string) =>
      entries.find(({ configName }) => configName === name)?.configValue ?? 'not readable';
    return {
      durability: {
        brokers: String(cluster.brokers.length),
        'min.insync.replicas': value('min.insync.replicas'),
        'default.replication.factor': value('default.replication.factor'),
        'unclean.leader.election.enable': value('unclean.leader.election.enable'),
        'log.flush.interval.messages': value('log.flush.interval.messages').replace(
          never,
          'none (the OS writes its page cache when it likes)',
        ),
        acks: 'set by each producer, all in ours',
      },
    };
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
