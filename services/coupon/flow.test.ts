import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Producer } from 'kafkajs';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import type { Started } from '../../loadtests/test/start-services.ts';

const { api } = stack();
let own: OwnStack;
let both: Started[];
let producer: Producer;
beforeAll(async () => {
  own = await ownStack('flow', { users: 300, topics: true });
  const roles = { ROLES: 'coupon-api,coupon-gatekeeper,coupon-consumer' };
  both = [await own.start(roles), await own.start(roles)];
  producer = own.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
}, 60_000);
afterAll(async () => {
  await producer.disconnect();
  await own.remove();
});

const urls = () =>
  both.filter(({ child }) => child.exitCode === null && child.signalCode === null).map(({ url }) => url);
async function newCoupon(totalQuantity: number) {
  const { status, body } = await api('POST', '/api/coupons', {
    url: urls()[0] as string,
    body: {
      name: 'Flow',
      discountType: 'FIXED',
      discountValue: 1,
      totalQuantity,
      validFrom: new Date(Date.now() - 3_600_000).toISOString(),
      validUntil: new Date(Date.now() + 3_600_000).toISOString(),
    },
  });
  expect(status).toBe(201);
  const [rows] = await own.db.query('SELECT generation FROM coupons WHERE id = ?', [body.couponId]);
  return { id: body.couponId as string, generation: (rows as { generation: string }[])[0]?.generation ?? '' };
}
const issue = (couponId: string, user: number, url = urls()[0] as string) =>
  api('POST', `/api/coupons/${couponId}/issue`, { url, body: { userId: `own-${user}` } });
const rowsOf = (couponId: string) => own.value('SELECT COUNT(*) FROM user_coupons WHERE coupon_id = ?', [couponId]);
const issuedOf = (couponId: string) => own.value('SELECT issued_quantity FROM coupons WHERE id = ?', [couponId]);
const untilRows = (couponId: string, rows: number, withinMs = 20_000) =>
  eventually(
    () => rowsOf(couponId),
    (count) => count === rows,
    withinMs,
  );

let promised = 0;
const promise = (couponId: string, generation: string, user: number) => ({
  key: `${couponId}:own-${user}`,
  value: JSON.stringify({
    couponId,
    userId: `own-${user}`,
    key: '',
    generation,
    streamId: `1700000000000-${++promised}`,
    acceptedAt: Date.now(),
  }),
});
const send = (messages: { key: string; value: string | null }[]) =>
  producer.send({ topic: own.names.couponTopic, acks: -1, messages });
async function deadLetters(): Promise<{ value: string | null; headers: Record<string, string> }[]> {
  const found: { value: string | null; headers: Record<string, string> }[] = [];
  const consumer = own.kafka.consumer({ groupId: `${own.config.namespace}.dead-${Date.now()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [own.names.couponDeadTopic], fromBeginning: true });
  const admin = own.kafka.admin();
  await admin.connect();
  const [end] = await admin.fetchTopicOffsets(own.names.couponDeadTopic);
  await admin.disconnect();
  await consumer.run({
    async eachMessage({ message }) {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      found.push({ value: message.value?.toString() ?? null, headers: Object.fromEntries(headers) });
    },
  });
  await eventually(
    async () => found.length,
    (count) => count >= Number(end?.high),
  );
  await consumer.disconnect();
  return found;
}

/** Ports on this side of a process's TCP connections. */
function localPorts(pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => sockets.has(fields[9] ?? ''))
      .map((fields) => Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)),
  );
}

describe('a message that cannot be read', () => {
  it('goes to the dead letter topic with its place, and those around it are issued', async () => {
    const { id, generation } = await newCoupon(10);
    const poison = ['not json', '{"couponId":1}', null, JSON.stringify({ couponId: id, userId: 'a b', generation })];
    await send([
      promise(id, generation, 1),
      ...poison.map((value) => ({ key: `${id}:own-1`, value })),
      promise(id, generation, 2),
      // The same key as the poison's: behind it in the same partition.
      { ...promise(id, generation, 3), key: `${id}:own-1` },
    ]);
    await untilRows(id, 3);
    // Buried when the others are settled.
    const dead = await eventually(deadLetters, ({ length }) => length >= poison.length, 15_000);
    expect(dead.map(({ value }) => value ?? '').sort()).toEqual(poison.map((value) => value ?? '').sort());
    for (const { headers } of dead)
      expect(headers).toEqual({
        topic: own.names.couponTopic,
        partition: expect.stringMatching(/^\d+$/),
        offset: expect.stringMatching(/^\d+$/),
        reason: expect.stringMatching(/^(not JSON|no value|(couponId|userId): .+)$/),
      });
    expect(await issuedOf(id)).toBe(3);
  }, 60_000);
});

describe('a promise that is delivered twice', () => {
  it('is one coupon, whether in one batch or much later, through whichever partition', async () => {
    const { id, generation } = await newCoupon(10);
    const first = promise(id, generation, 5);
    await send([first, first]);
    await untilRows(id, 1);
    await send([first, { ...first, key: 'another partition' }, promise(id, generation, 6)]);
    await untilRows(id, 2);
    // Behind all of them in every partition.
    await send(Array.from({ length: 8 }, (_, n) => ({ ...promise(id, generation, 10 + n), key: `spread-${n}` })));
    await untilRows(id, 10);
    expect(await issuedOf(id)).toBe(10);
  }, 60_000);
});

describe('a promise that was lost', () => {
  it('is found at the gate’s rebuild, counted and logged, and its user can ask again', async () => {
    const { id } = await newCoupon(10);
    for (const user of [30, 31]) expect((await issue(id, user)).status).toBe(202);
    await untilRows(id, 2);
    // In the gate, but neither in the stream nor in the topic: as if Redis had lost the one and not the other.
    await own.redis.hset(own.names.admitted(id), 'own-32', '1700000000000-0|');
    // Rejected, and not withdrawn yet: nothing is lost of that one.
    await own.redis.hset(own.names.admitted(id), 'own-33', '1700000000001-0|');
    await own.db.query(
      `INSERT INTO coupon_rejections (coupon_id, user_id, stream_id, generation, reason, topic_partition, topic_offset, rejected_at)
       VALUES (?, 'own-33', '1700000000001-0', 'g', 'UNKNOWN_USER', 0, 0, NOW(3))`,
      [id],
    );
    const lost = async () => {
      const texts = await Promise.all(urls().map(async (url) => (await fetch(`${url}/metrics`)).text()));
      return texts.reduce((sum, text) => sum + Number(/^onrush_coupon_lost_promises_total (\d+)$/m.exec(text)?.[1]), 0);
    };
    expect(await lost()).toBe(0);
    await own.redis.del(own.names.gate(id));
    await own.redis.sadd(own.names.rebuildRequests, id);
    await eventually(lost, (count) => count === 1);
    // The count comes before the gate is open again.
    const again = await eventually(
      () => issue(id, 32),
      ({ status }) => status !== 503,
    );
    expect(again.status).toBe(202);
    await untilRows(id, 3);
  }, 60_000);
});

describe('the gatekeeper’s leadership', () => {
  it('goes to the other process when the leader is killed, and promises made meanwhile are issued', async () => {
    const { id } = await newCoupon(200);
    expect((await issue(id, 20)).status).toBe(202);
    await untilRows(id, 1);
    const leading = await own.value('SELECT IS_USED_LOCK(?)', [own.names.gatekeeperLease]);
    // Which of the two holds the lock: the one whose address the engine sees on that connection.
    const [sessions] = await own.db.query('SELECT host FROM information_schema.processlist WHERE id = ?', [leading]);
    const port = Number((sessions as { host: string }[])[0]?.host.split(':')[1]);
    const leader = both.find(({ child }) => localPorts(child.pid as number).includes(port)) as Started;
    expect(leader).toBeDefined();
    const other = both.find((one) => one !== leader) as Started;
    leader.child.kill('SIGKILL');
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => issue(id, 100 + n, other.url)));
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(202));
    await untilRows(id, 101, 40_000);
    expect(await issuedOf(id)).toBe(101);
    expect(await own.value('SELECT IS_USED_LOCK(?)', [own.names.gatekeeperLease])).not.toBe(leading);
    expect(await own.redis.xlen(own.names.stream)).toBe(0);
    // A new coupon's gate is built by the new leader.
    const next = await newCoupon(1);
    expect((await issue(next.id, 250)).status).toBe(202);
    await untilRows(next.id, 1);
  }, 90_000);
});
