import type { Redis } from 'ioredis';
import type { Admin } from 'kafkajs';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Names } from '../../services/core/names.ts';
import { type Mapping, ONRUSH, withSources } from './mapping.ts';

/** Work that was promised and is not done yet. */
export interface Backlog {
  /** Promises that are not in Kafka yet. */
  stream: number;
  /** Events that are not in Kafka yet. */
  outbox: number;
  /** Messages that the coupon consumer, and the projections, have not committed. */
  couponLag: number;
  orderLag: number;
  deadLetters: number;
}

export interface Queues {
  /** Outside of any snapshot, or it would see the same backlog for ever. */
  connection: Connection;
  redis?: Redis | undefined;
  kafka?: Admin | undefined;
  names: Names;
  mapping?: Mapping;
}

/** The queues at one moment. `ends` differs from another look's if anything was put into a queue between the two. */
export interface Look {
  backlog: Backlog;
  ends: string;
  missingTopics: string[];
}

export interface Drained {
  drained: boolean;
  /** Why not, one line each. */
  reasons: string[];
  last: Look;
}

const APART_MS = 100;

/**
 * Whether all queues are empty, seen twice: between the stream and the topic, and between reading a message and its
 * commit, a promise is for a moment in neither. Queues whose engine is not given count as empty.
 */
export async function drained(queues: Queues): Promise<Drained> {
  const first = await look(queues);
  await new Promise((resolve) => setTimeout(resolve, APART_MS));
  const last = await look(queues);
  const reasons = [...new Set([...backlogReasons(first), ...backlogReasons(last)])];
  if (first.ends !== last.ends) reasons.push('something was still being written to the queues');
  return { drained: reasons.length === 0, reasons, last };
}

/** One line for each queue that is not empty. */
export function backlogReasons({ backlog, missingTopics }: Look): string[] {
  const { stream, outbox, couponLag, orderLag, deadLetters } = backlog;
  const reasons = missingTopics.map((topic) => `the topic ${topic} is missing; npm run migrate creates it`);
  if (stream > 0) reasons.push(`${stream} promises wait in the Redis stream`);
  if (outbox > 0) reasons.push(`${outbox} events wait in the outbox`);
  if (couponLag > 0) reasons.push(`the coupon consumer is ${couponLag} messages behind`);
  if (orderLag > 0) reasons.push(`the projections are ${orderLag} messages behind`);
  if (deadLetters > 0) reasons.push(`${deadLetters} dead letters`);
  return reasons;
}

export async function look({ connection, redis, kafka, names, mapping = ONRUSH }: Queues): Promise<Look> {
  const [outbox, stream, topics] = await Promise.all([
    pendingEvents(connection, mapping),
    redis && streamState(redis, names),
    kafka && topicState(kafka, redis, names),
  ]);
  return {
    backlog: {
      stream: stream?.length ?? 0,
      outbox,
      couponLag: topics?.couponLag ?? 0,
      orderLag: topics?.orderLag ?? 0,
      deadLetters: topics?.deadLetters ?? 0,
    },
    ends: `${stream?.lastId}|${topics?.ends}`,
    missingTopics: topics?.missing ?? [],
  };
}

async function pendingEvents(connection: Connection, mapping: Mapping): Promise<number> {
  if (!mapping.events) return 0;
  const [rows] = await connection.query<RowDataPacket[]>(
    `${withSources(mapping, ['events'])} SELECT COUNT(*) AS n FROM events WHERE pending = 1`,
  );
  return Number(rows[0]?.n);
}

/** The last id stays when the entries go, so it tells of promises that came and went between two looks. */
async function streamState(redis: Redis, names: Names): Promise<{ length: number; lastId: string }> {
  if (!(await redis.exists(names.stream))) return { length: 0, lastId: '' };
  const info = (await redis.xinfo('STREAM', names.stream)) as unknown[];
  const field = (name: string) => info[info.indexOf(name) + 1];
  return { length: Number(field('length')), lastId: String(field('last-generated-id')) };
}

async function topicState(kafka: Admin, redis: Redis | undefined, names: Names) {
  const present = await kafka.listTopics();
  const wanted = [names.couponTopic, names.orderTopic, names.couponDeadTopic];
  const [coupon, order, dead] = await Promise.all(
    wanted.map(async (topic) => (present.includes(topic) ? kafka.fetchTopicOffsets(topic) : [])),
  );
  const counted = (await redis?.hgetall(names.rankingOffsets)) ?? {};
  const couponDone = await committedOffsets(kafka, names.consumerGroup, names.couponTopic);
  const orderDone = await committedOffsets(kafka, names.projectionGroup, names.orderTopic);
  // The ranking keeps its own position beside its counts; whichever is further tells what was counted.
  for (const [partition, offset] of Object.entries(counted)) {
    orderDone.set(Number(partition), Math.max(orderDone.get(Number(partition)) ?? 0, Number(offset) + 1));
  }
  return {
    missing: wanted.filter((topic) => !present.includes(topic)),
    couponLag: lag(coupon ?? [], couponDone),
    orderLag: lag(order ?? [], orderDone),
    deadLetters: lag(dead ?? [], new Map()),
    ends: [coupon, order].flatMap((topic) => topic?.map(({ partition, high }) => `${partition}:${high}`)).join(','),
  };
}

async function committedOffsets(kafka: Admin, groupId: string, topic: string): Promise<Map<number, number>> {
  const topics = await kafka.fetchOffsets({ groupId, topics: [topic] });
  return new Map(topics[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
}

/** Messages beyond the committed offsets. A group that never committed begins at the oldest message there is. */
function lag(partitions: { partition: number; high: string; low: string }[], done: Map<number, number>): number {
  return partitions.reduce((sum, { partition, high, low }) => {
    return sum + Math.max(0, Number(high) - Math.max(Number(low), done.get(partition) ?? 0));
  }, 0);
}
