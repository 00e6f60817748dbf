import type { RowDataPacket } from 'mysql2/promise';
import { type Fixture, openFixture, USERS } from '../verify/fixture.ts';
import { verify } from '../verify/verify.ts';
import { connectDatabase } from './connect.ts';
import { EMPTIED } from './empty.ts';
import { seed } from './seed.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('seed');
}, 60_000);
afterAll(() => fixture.close());

function reseed(change: { users?: number; stock?: number; coupons?: number; seed?: number } = {}) {
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = fixture;
  return seed({ databaseUrl, redisUrl, kafkaBrokers, namespace, users: USERS, ...change });
}

async function rows(sql: string): Promise<RowDataPacket[]> {
  const connection = await connectDatabase(fixture.databaseUrl);
  try {
    return (await connection.query<RowDataPacket[]>(sql))[0];
  } finally {
    await connection.end();
  }
}

const cartContents = async () => JSON.stringify(await rows('SELECT cart_id, product_id FROM cart_items ORDER BY 1, 2'));

test('the whole data set, whatever was there before, and it verifies', async () => {
  const report = await reseed({ stock: 40, coupons: 50 });
  expect(report.counts).toEqual({
    products: 10,
    stocks: 10,
    run_baselines: USERS + 10,
    carts: USERS,
    cart_items: 3 * USERS,
    users: USERS,
    coupons: 1,
  });
  expect(await rows(`SELECT * FROM users WHERE balance <> 1000000 OR balance_version <> 0`)).toEqual([]);
  expect(await rows('SELECT COUNT(DISTINCT product_id) AS n FROM cart_items GROUP BY cart_id HAVING n <> 3')).toEqual(
    [],
  );
  expect(await rows('SELECT * FROM stocks WHERE quantity <> 40')).toEqual([]);
  expect(
    await rows(`SELECT c.id FROM cart_items i JOIN carts c ON c.id = i.cart_id
      WHERE c.user_id <> REPLACE(c.id, 'cart', 'user') OR i.quantity <> 1`),
  ).toEqual([]);
  expect(
    await rows(`SELECT total_quantity, issued_quantity, generation, valid_from < NOW() AND valid_until > NOW() AS valid
      FROM coupons`),
  ).toEqual([{ total_quantity: 50, issued_quantity: 0, generation: report.generation, valid: 1 }]);
  expect(await rows('SELECT 1 FROM orders UNION ALL SELECT 1 FROM outbox_events')).toEqual([]);
  expect((await rows('SELECT name FROM migrations')).length).toBeGreaterThan(0);
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = fixture;
  expect((await verify({ databaseUrl, redisUrl, kafkaBrokers, namespace })).reasons).toEqual([]);
});

test('every table of the schema is emptied, and none that is somebody else’s', async () => {
  const tables = (await rows('SHOW TABLES')).flatMap((row) => Object.values(row) as string[]);
  expect([...EMPTIED, 'migrations'].sort()).toEqual(tables.sort());
  await rows('CREATE TABLE invoices (id INT PRIMARY KEY)');
  await rows('INSERT INTO invoices VALUES (1), (2)');
  try {
    await reseed();
    expect(await rows('SELECT COUNT(*) AS n FROM invoices')).toEqual([{ n: 2 }]);
  } finally {
    await rows('DROP TABLE invoices');
  }
});

test('the same seed fills the carts alike, another one differently', async () => {
  await reseed({ seed: 5 });
  const five = await cartContents();
  await reseed({ seed: 6 });
  expect(await cartContents()).not.toBe(five);
  await reseed({ seed: 5 });
  expect(await cartContents()).toBe(five);
});

test('more users than one statement covers', async () => {
  await reseed({ users: 10_001 });
  expect(await rows(`SELECT COUNT(*) AS n FROM users WHERE id IN ('test-user-10000', 'test-user-10001')`)).toEqual([
    { n: 2 },
  ]);
  expect(await rows('SELECT COUNT(*) AS n FROM users')).toEqual([{ n: 10_001 }]);
});

test('gates of all coupons are closed, nobody is admitted any more, and the new gate is asked for', async () => {
  const { redis, names } = fixture;
  const before = await reseed();
  for (const coupon of ['test-coupon-1', 'of-another-run']) {
    await redis.hset(names.gate(coupon), 'limit', 1);
    await redis.hset(names.admitted(coupon), 'test-user-1', '1-1|');
  }
  await redis.xadd(names.stream, '*', 'userId', 'test-user-1');
  await redis.sadd(names.rebuildRequests, 'of-another-run');

  const after = await reseed();
  expect(after.generation).not.toBe(before.generation);
  expect(await redis.keys(`${names.gate('*')}`)).toEqual([]);
  expect(await redis.keys(`${names.admitted('*')}`)).toEqual([]);
  expect(await redis.xlen(names.stream)).toBe(0);
  expect(await redis.smembers(names.rebuildRequests)).toEqual(['test-coupon-1']);
});

test('waits for a gatekeeper that is rebuilding the gate', async () => {
  const gatekeeper = await connectDatabase(fixture.databaseUrl);
  await gatekeeper.query('SELECT GET_LOCK(?, 0)', [fixture.names.gateLock('test-coupon-1')]);
  const generation = (await rows('SELECT generation FROM coupons'))[0]?.generation;
  let done = false;
  const seeding = reseed().then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(done).toBe(false);
  expect(await rows('SELECT generation FROM coupons')).toEqual([{ generation }]);
  await gatekeeper.end();
  await seeding;
  expect(await rows('SELECT generation FROM coupons')).not.toEqual([{ generation }]);
});

test('order events of before do not count in the ranking, and dead letters are gone', async () => {
  const { redis, names, admin } = fixture;
  await fixture.produce(names.orderTopic);
  await fixture.produce(names.couponDeadTopic);
  await redis.zincrby(names.rankingDay('2026-01-01'), 5, 'test-product-1');
  await redis.hset(names.rankingOffsets, '99', '7');

  await reseed();
  const ends = await admin.fetchTopicOffsets(names.orderTopic);
  const counted = ends
    .filter(({ high }) => high !== '0')
    .map(({ partition, high }) => [`${partition}`, `${+high - 1}`]);
  expect(await redis.hgetall(names.rankingOffsets)).toEqual(Object.fromEntries(counted));
  expect(counted).toHaveLength(1);
  expect(await redis.keys(names.rankingDay('*'))).toEqual([names.rankingOffsets]);
  expect((await admin.fetchTopicOffsets(names.couponDeadTopic)).every(({ high, low }) => high === low)).toBe(true);
});

test('nothing is deleted unless everything answers', async () => {
  const { databaseUrl, redisUrl, namespace } = fixture;
  const options = { databaseUrl, redisUrl, namespace, users: 5 };
  await expect(seed({ ...options, kafkaBrokers: ['127.0.0.1:1'] })).rejects.toThrow('Kafka at 127.0.0.1:1');
  await expect(seed({ ...options, redisUrl: 'redis://127.0.0.1:1/0' })).rejects.toThrow('Redis at redis://127.0.0.1:1');
  expect(await rows('SELECT COUNT(*) AS n FROM users')).toEqual([{ n: USERS }]);
});

test('a database without the schema is told what it lacks', async () => {
  const root = await connectDatabase(fixture.databaseUrl);
  const empty = `onrush_seed_empty_${process.pid}`;
  await root.query(`CREATE DATABASE ${empty}`);
  try {
    const url = new URL(fixture.databaseUrl);
    url.pathname = `/${empty}`;
    await expect(seed({ databaseUrl: url.href, namespace: fixture.namespace })).rejects.toThrow(
      'the schema is missing: run npm run migrate first',
    );
  } finally {
    await root.query(`DROP DATABASE ${empty}`);
    await root.end();
  }
});
