import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { pause, type Running, runLoop } from '../lifecycle.ts';
import type { Metrics } from '../metrics.ts';
import type { Names } from '../names.ts';

export interface LagWatch {
  kafka: Kafka;
  names: Names;
  metrics: Pick<Metrics, 'consumerLag'>;
  logger: Logger;
}

/** Milliseconds. */
const INTERVAL = 2_000;

/**
 * How far the consumer groups are behind, asked of the brokers: what consumers know of themselves ends with them. One
 * process of all does this (the one that keeps the gates).
 */
export function watchConsumerLag({ kafka, names, metrics, logger }: LagWatch): Running {
  const admin = kafka.admin();
  const groups = [
    { group: names.consumerGroup, topic: names.couponTopic },
    { group: names.projectionGroup, topic: names.orderTopic },
  ];
  let connected = false;
  const loop = runLoop('consumer-lag-watch', logger, async (signal) => {
    if (!connected) await admin.connect();
    connected = true;
    for (const { group, topic } of groups) {
      const ends = await admin.fetchTopicOffsets(topic);
      const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const reached = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      for (const { partition, low, high } of ends) {
        // A group that has committed nothing begins at the first message that is there.
        const next = Math.max(reached.get(partition) ?? -1, Number(low));
        metrics.consumerLag.set({ group, topic, partition: String(partition) }, Math.max(0, Number(high) - next));
      }
    }
    await pause(INTERVAL, signal);
  });
  return {
    name: loop.name,
    async stop() {
      await loop.stop();
      metrics.consumerLag.reset();
      await admin.disconnect().catch(() => {});
    },
  };
}
