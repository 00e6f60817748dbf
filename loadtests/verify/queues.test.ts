import { type Fixture, openFixture } from './fixture.ts';
import { verify } from './verify.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('queues');
}, 60_000);
afterAll(() => fixture.close());
beforeEach(() => fixture.restore());

const coupon = 'test-coupon-1';

function judge() {
  const { looseUrl, redisUrl, kafkaBrokers, namespace } = fixture;
  return verify({ databaseUrl: looseUrl, redisUrl, kafkaBrokers, namespace });
}
const violated = (verdict: Awaited<ReturnType<typeof judge>>) =>
  verdict.checks.filter(({ status }) => status === 'violated').map(({ id }) => id);

test('clean data and empty queues pass; groups that never committed have nothing to commit', async () => {
  const verdict = await judge();
  expect(verdict.reasons).toEqual([]);
  expect(verdict.verdict).toBe('PASS');
  expect(verdict.checks.find(({ id }) => id === 'coupon-promised')?.checked).toBe(200);
});

test('a member of the admitted set without a row', async () => {
  await fixture.redis.hset(fixture.names.admitted(coupon), 'promised', '1-1|');
  const verdict = await judge();
  expect(verdict.verdict).toBe('FAIL');
  expect(violated(verdict)).toEqual(['coupon-promised']);
  expect(verdict.checks.find(({ id }) => id === 'coupon-promised')?.rows).toEqual([
    { coupon_id: coupon, user_id: 'promised' },
  ]);
});

test('a row without a member of the admitted set', async () => {
  await fixture.redis.hdel(fixture.names.admitted(coupon), 'test-user-7');
  const verdict = await judge();
  expect(verdict.verdict).toBe('FAIL');
  expect(violated(verdict)).toEqual(['coupon-admitted']);
});

test('while a gate is closed its members may be missing', async () => {
  await fixture.redis.del(fixture.names.gate(coupon), fixture.names.admitted(coupon));
  const verdict = await judge();
  expect(verdict.verdict).toBe('INCONCLUSIVE');
  expect(violated(verdict)).toEqual([]);
});

test('a promise in the stream: no verdict, and its user need not have a row yet', async () => {
  await fixture.redis.hset(fixture.names.admitted(coupon), 'promised', '1-1|');
  await fixture.redis.xadd(fixture.names.stream, '*', 'userId', 'promised');
  const verdict = await judge();
  expect(verdict.verdict).toBe('INCONCLUSIVE');
  expect(verdict.backlog.stream).toBe(1);
  expect(verdict.reasons).toContain('1 promises wait in the Redis stream');
});

test('an event in the outbox: no verdict', async () => {
  await fixture.loose.query(`UPDATE outbox_events SET status = 'PENDING' WHERE aggregate_id = 'order-1'`);
  const verdict = await judge();
  expect(verdict.verdict).toBe('INCONCLUSIVE');
  expect(verdict.reasons).toEqual(['1 events wait in the outbox']);
});

test('a violation is FAIL also while the queues are not empty', async () => {
  await fixture.redis.xadd(fixture.names.stream, '*', 'userId', 'promised');
  await fixture.loose.query('UPDATE users SET balance = 1');
  expect((await judge()).verdict).toBe('FAIL');
});

// From here on the topics hold messages, so the order of these tests matters.
test('a message the coupon consumer has not committed: no verdict until it has', async () => {
  const { admin, names } = fixture;
  await fixture.produce(names.couponTopic);
  const behind = await judge();
  expect(behind.verdict).toBe('INCONCLUSIVE');
  expect(behind.reasons).toEqual(['the coupon consumer is 1 messages behind']);

  await commitAll(names.consumerGroup, names.couponTopic);
  expect((await judge()).verdict).toBe('PASS');
  expect(await admin.fetchTopicOffsets(names.couponTopic)).not.toHaveLength(0);
});

test('an order event is done with once the projections committed it or the ranking counted it', async () => {
  const { names, redis, admin } = fixture;
  await fixture.produce(names.orderTopic);
  expect((await judge()).reasons).toEqual(['the projections are 1 messages behind']);

  const ends = await admin.fetchTopicOffsets(names.orderTopic);
  for (const { partition, high } of ends) await redis.hset(names.rankingOffsets, partition, Number(high) - 1);
  expect((await judge()).verdict).toBe('PASS');
  await redis.del(names.rankingOffsets);
  await commitAll(names.projectionGroup, names.orderTopic);
  expect((await judge()).verdict).toBe('PASS');
});

test('a dead letter: no verdict', async () => {
  await fixture.produce(fixture.names.couponDeadTopic);
  const verdict = await judge();
  expect(verdict.verdict).toBe('INCONCLUSIVE');
  expect(verdict.reasons).toEqual(['1 dead letters']);
});

async function commitAll(groupId: string, topic: string): Promise<void> {
  const partitions = (await fixture.admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
    partition,
    offset: high,
  }));
  await fixture.admin.setOffsets({ groupId, topic, partitions });
}
