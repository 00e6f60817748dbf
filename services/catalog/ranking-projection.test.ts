import type { Redis } from 'ioredis';
import type { Producer } from 'kafkajs';
import { pino } from 'pino';
import { keysLike } from '../../loadtests/seed/gates.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually } from '../../loadtests/test/stack.ts';
import type { Running } from '../core/lifecycle.ts';
import { createMetrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import { openRedis } from '../core/redis.ts';
import { startRanking } from './ranking-projection.ts';

let own: OwnStack;
let producer: Producer;
const clients: Redis[] = [];
beforeAll(async () => {
  own = await ownStack('ranking', { topics: true });
  producer = own.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  for (const client of clients) client.disconnect();
  await own.remove();
});

/** Milliseconds between a projection's look at its position and what it does with it. */
let afterPosition = 0;
const logger = pino({ level: 'silent' });
async function start(group = own.names.projectionGroup): Promise<Running> {
  const redis = openRedis(own.config.redisUrl, 'test', logger);
  clients.push(redis);
  await redis.connect();
  const hget = redis.hget.bind(redis);
  redis.hget = (async (key: string, field: string) => {
    const found = await hget(key, field);
    await new Promise((resolve) => setTimeout(resolve, afterPosition));
    return found;
  }) as typeof redis.hget;
  const names: Names = { ...own.names, projectionGroup: group };
  return startRanking({ kafka: own.kafka, redis, names, metrics: createMetrics(), logger });
}
const DAY = '2026-11-20';
let orders = 0;
/** With its number in the outbox, or without, as an older relay sent it. */
const order = (productId: string, quantity: number, id?: number) => ({
  key: `order-${++orders}`,
  value: JSON.stringify({ createdAt: `${DAY}T10:00:00.000Z`, items: [{ productId, quantity }] }),
  headers: { type: 'ORDER_PLACED', ...(id === undefined ? {} : { id: String(id) }) },
});
const send = (messages: ReturnType<typeof order>[]) =>
  producer.send({ topic: own.names.orderTopic, acks: -1, messages });
const sell = (productId: string, quantity: number, times: number) =>
  send(Array.from({ length: times }, () => order(productId, quantity)));
const soldOf = async (productId: string) => Number(await own.redis.zscore(own.names.rankingDay(DAY), productId));
const untilSold = (productId: string, quantity: number) =>
  eventually(
    () => soldOf(productId),
    (sold) => sold >= quantity,
    20_000,
  );
/** Redis comes back without what it had. */
const loseRanking = async () => own.redis.del(...(await keysLike(own.redis, own.names.rankingDay('*'))));
/** Every event in the topic has been counted, so more would show. */
async function untilThrough(): Promise<void> {
  const admin = own.kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(own.names.orderTopic);
  await admin.disconnect();
  await eventually(
    () => own.redis.hgetall(own.names.rankingOffsets),
    (offsets) =>
      ends.every(
        ({ partition, high }) => high === '0' || Number(offsets[String(partition)] ?? -1) === Number(high) - 1,
      ),
    20_000,
  );
}

describe('the ranking', () => {
  it('counts each sale once however often its batch is delivered, to several at once', async () => {
    await sell('a', 2, 300);
    // Two groups: both are given every message.
    const both = await Promise.all([start(), start(`${own.names.projectionGroup}-2`)]);
    await sell('a', 1, 100);
    await untilSold('a', 700);
    await sell('b', 1, 10);
    await untilThrough();
    expect([await soldOf('a'), await soldOf('b')]).toEqual([700, 10]);
    // Both have looked at the same position before either counts.
    afterPosition = 300;
    for (const quantity of [3, 7]) {
      await sell('raced', quantity, 1);
      await untilThrough();
    }
    afterPosition = 0;
    await sell('b', 1, 30);
    await untilThrough();
    await Promise.all(both.map((one) => one.stop()));
    expect([await soldOf('raced'), await soldOf('b')]).toEqual([10, 40]);
  }, 60_000);

  it('counts an event once however often it was sent, in one batch or much later, whatever its number', async () => {
    const one = await start();
    const numbers = [...Array(50).keys(), 2 ** 20 - 1, 2 ** 20, 2 ** 32 + 7, 999_999_999_999_999];
    const events = numbers.map((id) => order('twice', 2, id));
    await send([...events, ...events]);
    await untilThrough();
    await send([...events, order('twice', 1), order('twice', 1)]);
    await untilThrough();
    await one.stop();
    expect(await soldOf('twice')).toBe(2 * events.length + 2);
  }, 60_000);

  it('passes over a product whose name is half a surrogate pair, which Redis does not read', async () => {
    const one = await start();
    await send([order('\ud800', 1), order('whole', 1)].map((message) => ({ ...message, key: 'one partition' })));
    await untilThrough();
    await one.stop();
    expect(await soldOf('whole')).toBe(1);
  }, 60_000);

  it('goes on where it stopped', async () => {
    await sell('a', 1, 5);
    const again = await start();
    await untilSold('a', 705);
    await untilThrough();
    await again.stop();
    expect(await soldOf('a')).toBe(705);
  }, 60_000);

  it('tells Kafka how far it has counted when it goes on, though nothing new has come', async () => {
    const groupId = `${own.names.projectionGroup}-later`;
    const later = await start(groupId);
    const admin = own.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(own.names.orderTopic);
    const counted = ends.filter(({ high }) => high !== '0').map(({ partition, high }) => [partition, high]);
    expect(counted).not.toEqual([]);
    await eventually(
      async () => {
        const [topic] = await admin.fetchOffsets({ groupId, topics: [own.names.orderTopic] });
        return new Map(topic?.partitions.map(({ partition, offset }) => [partition, offset]));
      },
      (committed) => counted.every(([partition, high]) => committed.get(Number(partition)) === high),
      20_000,
    );
    await admin.disconnect();
    await later.stop();
  }, 60_000);

  it('is filled again from the topic when Redis has lost it, positions and all, passing over what it cannot read', async () => {
    await producer.send({
      topic: own.names.orderTopic,
      messages: [
        { key: 'x', value: 'not an order' },
        { key: 'y', value: null },
      ],
    });
    await loseRanking();
    const again = await start();
    await untilThrough();
    expect([await soldOf('a'), await soldOf('b')]).toEqual([705, 40]);
    await sell('a', 1, 1);
    await untilSold('a', 706);
    await again.stop();
    expect(await own.redis.ttl(own.names.rankingDay(DAY))).toBeGreaterThan(30 * 24 * 3600);
  }, 60_000);

  it('that is lost while it runs is filled again with the next sale', async () => {
    const running = await start();
    await sell('a', 1, 60);
    await untilSold('a', 766);
    await untilThrough();
    await loseRanking();
    // Keys that reach every partition.
    await sell('a', 1, 60);
    await untilThrough();
    expect([await soldOf('a'), await soldOf('b')]).toEqual([826, 40]);
    await running.stop();
  }, 60_000);
});
