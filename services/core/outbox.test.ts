import type { Consumer } from 'kafkajs';
import { pino } from 'pino';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually } from '../../loadtests/test/stack.ts';
import type { Running } from './lifecycle.ts';
import { createMetrics } from './metrics.ts';
import { openWritePool, type WritePool } from './mysql.ts';
import { startOutboxRelay } from './outbox.ts';

let own: OwnStack;
let consumer: Consumer;
const pools: WritePool[] = [];
const read: { key: string; value: string; type: string }[] = [];
beforeAll(async () => {
  own = await ownStack('outbox', { topics: true });
  consumer = own.kafka.consumer({ groupId: `${own.config.namespace}.test`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [own.names.orderTopic], fromBeginning: true });
  await consumer.run({
    async eachMessage({ message }) {
      read.push({ key: String(message.key), value: String(message.value), type: String(message.headers?.type) });
    },
  });
});
afterAll(async () => {
  await consumer.disconnect();
  await Promise.all(pools.map((pool) => pool.close()));
  await own.remove();
});

function startRelay(topic: string, maxAttempts = 20): Running {
  const metrics = createMetrics();
  const pool = openWritePool({
    databaseUrl: own.config.databaseUrl,
    connections: 2,
    lockWaitTimeoutS: 3,
    metrics: metrics.locks,
  });
  pools.push(pool);
  const logger = pino({ level: 'silent' });
  return startOutboxRelay({ pool, kafka: own.kafka, topic, metrics, logger, maxAttempts });
}
const insertEvents = (prefix: string, from: number, count: number) =>
  own.db.query('INSERT INTO outbox_events (aggregate_id, event_type, payload, next_attempt_at, created_at) VALUES ?', [
    Array.from({ length: count }, (_, n) => {
      const now = new Date();
      return [`${prefix}-${from + n}`, 'TEST', JSON.stringify({ n: from + n }), now, now];
    }),
  ]);
const countOf = (prefix: string, status: string) =>
  own.value('SELECT COUNT(*) FROM outbox_events WHERE aggregate_id LIKE ? AND status = ?', [`${prefix}-%`, status]);
const readOf = (prefix: string) => read.filter(({ key }) => key.startsWith(`${prefix}-`));
async function rowOf(id: string) {
  const [rows] = await own.db.query(
    `SELECT status, attempts, last_error, published_at, TIMESTAMPDIFF(MICROSECOND, NOW(3), next_attempt_at) / 1000 AS wait
       FROM outbox_events WHERE aggregate_id = ?`,
    [id],
  );
  return (
    rows as { status: string; attempts: number; last_error: string; published_at: Date | null; wait: number }[]
  )[0];
}

describe('the outbox relay', () => {
  it('with a second one beside it publishes each event once, keyed by its aggregate, and marks it', async () => {
    const relays = [startRelay(own.names.orderTopic), startRelay(own.names.orderTopic)];
    for (let from = 0; from < 2_000; from += 400) await insertEvents('both', from, 400);
    await eventually(
      () => countOf('both', 'PUBLISHED'),
      (count) => count === 2_000,
    );
    await eventually(
      async () => readOf('both').length,
      (count) => count >= 2_000,
    );
    await Promise.all(relays.map((relay) => relay.stop()));
    const got = readOf('both');
    expect(got).toHaveLength(2_000);
    expect(new Set(got.map(({ key }) => key)).size).toBe(2_000);
    for (const { key, value, type } of got)
      expect([JSON.parse(value), type]).toEqual([{ n: Number(key.slice('both-'.length)) }, 'TEST']);
    expect(await own.value('SELECT COUNT(*) FROM outbox_events WHERE attempts <> 1 OR published_at IS NULL')).toBe(0);
  });

  it('publishes an event with a lower id than those before it that comes to light late', async () => {
    const relay = startRelay(own.names.orderTopic);
    for (const n of [1, 2]) {
      await insertEvents('early', n, 1);
      await eventually(
        () => countOf('early', 'PUBLISHED'),
        (count) => count === n,
      );
    }
    const id = await own.value(`SELECT id FROM outbox_events WHERE aggregate_id = 'early-1'`);
    await own.db.query('DELETE FROM outbox_events WHERE id = ?', [id]);
    // As of a transaction that took its id first and was committed last.
    await own.db.query(
      `INSERT INTO outbox_events (id, aggregate_id, event_type, payload, next_attempt_at, created_at)
       VALUES (?, 'hidden-1', 'TEST', '{}', NOW(3), NOW(3))`,
      [id],
    );
    await eventually(
      () => countOf('hidden', 'PUBLISHED'),
      (count) => count === 1,
      5_000,
    );
    await relay.stop();
  });

  it('marks nothing without an acknowledgement: it tries again later and later, and publishes once the topic is there', async () => {
    const topic = `${own.config.namespace}.missing`;
    const relay = startRelay(topic);
    await insertEvents('late', 1, 1);
    const failed = await eventually(
      () => rowOf('late-1'),
      (row) => Number(row?.attempts) >= 1,
      20_000,
    );
    expect(failed).toMatchObject({ status: 'PENDING', published_at: null });
    expect(failed?.last_error).toMatch(/topic|partition/i);
    const admin = own.kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    const published = await eventually(
      () => rowOf('late-1'),
      (row) => row?.status === 'PUBLISHED',
      20_000,
    );
    expect(published?.attempts).toBeGreaterThan(1);
    const [end] = await admin.fetchTopicOffsets(topic);
    expect(Number(end?.high)).toBe(1);
    await admin.disconnect();
    await relay.stop();
  }, 60_000);

  it('lets an event that the brokers refuse fail alone', async () => {
    await own.db.query(
      `INSERT INTO outbox_events (aggregate_id, event_type, payload, next_attempt_at, created_at)
       VALUES ('huge-1', 'TEST', ?, NOW(3), NOW(3))`,
      [JSON.stringify({ n: 'x'.repeat(1_500_000) })],
    );
    await insertEvents('near', 1, 20);
    const relay = startRelay(own.names.orderTopic, 2);
    await eventually(
      () => rowOf('huge-1'),
      (row) => row?.status === 'FAILED',
      20_000,
    );
    await eventually(
      () => countOf('near', 'PUBLISHED'),
      (count) => count === 20,
    );
    await relay.stop();
    expect((await rowOf('huge-1'))?.last_error).toMatch(/too large|larger than/i);
    expect(new Set(readOf('near').map(({ key }) => key)).size).toBe(20);
  }, 60_000);

  it('gives an event up as FAILED after so many attempts, and leaves it so', async () => {
    const relay = startRelay(`${own.config.namespace}.never`, 2);
    await insertEvents('never', 1, 3);
    const once = await eventually(
      () => rowOf('never-2'),
      (row) => Number(row?.attempts) === 1,
      20_000,
    );
    expect(once?.status).toBe('PENDING');
    expect(Number(once?.wait)).toBeLessThanOrEqual(200);
    await eventually(
      () => countOf('never', 'FAILED'),
      (count) => count === 3,
      20_000,
    );
    await relay.stop();
    expect(await rowOf('never-1')).toMatchObject({ status: 'FAILED', attempts: 2, published_at: null });
    // A relay that works does not take it up by itself.
    const working = startRelay(own.names.orderTopic);
    await insertEvents('after', 1, 1);
    await eventually(
      () => countOf('after', 'PUBLISHED'),
      (count) => count === 1,
    );
    await working.stop();
    expect(await countOf('never', 'FAILED')).toBe(3);
    expect(readOf('never')).toEqual([]);
  }, 60_000);
});
