import type { Redis } from 'ioredis';
import type { Admin } from 'kafkajs';
import type { Names } from '../../services/core/names.ts';
import { keysLike } from './gates.ts';

/**
 * Starts the ranking afresh. First the offsets move to the end of the topic, from where on no event of the old data
 * counts, then the counts go. Runs after the outbox was emptied, so that no old event can be published behind this.
 */
export async function resetRanking(redis: Redis, kafka: Admin | undefined, names: Names): Promise<void> {
  const counted = await lastOffsets(kafka, names.orderTopic);
  const offsets = redis.multi().del(names.rankingOffsets);
  if (counted.length > 0) offsets.hset(names.rankingOffsets, Object.fromEntries(counted));
  await offsets.exec();
  const days = (await keysLike(redis, names.rankingDay('*'))).filter((key) => key !== names.rankingOffsets);
  if (days.length > 0) await redis.unlink(...days);
}

/** [partition, offset of its last message]; a partition that never had one is left out. */
async function lastOffsets(kafka: Admin | undefined, topic: string): Promise<[string, string][]> {
  if (!kafka || !(await kafka.listTopics()).includes(topic)) return [];
  const partitions = await kafka.fetchTopicOffsets(topic);
  return partitions
    .filter(({ high }) => BigInt(high) > 0n)
    .map(({ partition, high }) => [String(partition), String(BigInt(high) - 1n)]);
}

/** Dead letters of earlier runs would keep every later verdict from passing. */
export async function dropDeadLetters(kafka: Admin, names: Names): Promise<void> {
  const topic = names.couponDeadTopic;
  if (!(await kafka.listTopics()).includes(topic)) return;
  const full = (await kafka.fetchTopicOffsets(topic)).filter(({ high, low }) => high !== low);
  if (full.length === 0) return;
  await kafka.deleteTopicRecords({
    topic,
    partitions: full.map(({ partition, high }) => ({ partition, offset: high })),
  });
}
