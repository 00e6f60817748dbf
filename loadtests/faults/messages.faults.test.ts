import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from 'kafkajs';
import { deadLetters } from '../../services/admin/dead-letters.ts';
import type { Role } from '../../services/core/config.ts';
import type { CrashPoint } from '../../services/core/crash-point.ts';
import { eventually } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import { type Answered, figuresOf, issue, untilDefinite } from './clients.ts';
import { type JudgedStack, judgedStack, untilStopped } from './judged-stack.ts';

let judged: JudgedStack;
let running: Started[] = [];
beforeAll(async () => {
  judged = await judgedStack('messages', 3_000);
}, 60_000);
afterEach(async () => {
  await Promise.all(
    running.map((one) => {
      one.child.kill('SIGCONT');
      return one.child.signalCode ?? one.stop();
    }),
  );
  running = [];
  await judged.dropDeadLetters();
});
afterAll(() => judged.remove());

async function start(roles: Role[], more?: Parameters<JudgedStack['start']>[1]): Promise<Started> {
  const one = await judged.start(roles, more);
  running.push(one);
  return one;
}
const sale = (couponId: string, users: number, { url }: Started, from = 0): Promise<Answered[]> =>
  untilDefinite(
    Array.from({ length: users }, (_, n) => from + n).map((n) =>
      issue(couponId, `test-user-${n + 1}`, `${couponId}-${n}`),
    ),
    () => [url],
  );
async function judge(before: Awaited<ReturnType<JudgedStack['before']>>, answered: Answered[]) {
  const accepted = answered.filter(({ answer }) => answer?.status === 202).length;
  const verdict = await judged.verdict(figuresOf(before, answered));
  expect(verdict.lostPromises).toBe(0);
  expect(verdict.checks.find(({ id }) => id === 'client-coupons')?.checked).toBe(accepted);
  return verdict;
}

/** Everything that lies in the coupon topic from these offsets on. */
async function messagesSince(offsets: Map<number, bigint>): Promise<Message[]> {
  const { couponTopic: topic } = judged.own.names;
  const ends = await ofTopic();
  const unread = new Set([...ends].filter(([partition, end]) => end > (offsets.get(partition) ?? 0n)).map(([p]) => p));
  const consumer = judged.own.kafka.consumer({ groupId: `${topic}.read-${Date.now()}`, maxWaitTimeInMs: 100 });
  const found: Message[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    async eachMessage({ partition, message: { key, value, offset } }) {
      if (BigInt(offset) >= (offsets.get(partition) ?? 0n)) found.push({ key, value });
      if (BigInt(offset) + 1n >= (ends.get(partition) ?? 0n)) unread.delete(partition);
    },
  });
  await eventually(
    async () => unread.size,
    (size) => size === 0,
    20_000,
  );
  await consumer.disconnect();
  return found;
}
async function ofTopic(): Promise<Map<number, bigint>> {
  const admin = judged.own.kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(judged.own.names.couponTopic);
  await admin.disconnect();
  return new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
}
async function send(messages: Message[]): Promise<void> {
  const producer = judged.own.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic: judged.own.names.couponTopic, acks: -1, messages });
  await producer.disconnect();
}
/** The same order every time: mulberry32. */
function shuffled<T>(items: T[], seed = 1): T[] {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

describe('messages of every kind at once', () => {
  it('come to exactly the coupons that were promised: doubled, shuffled over partitions, old, unreadable', async () => {
    const before = await judged.before();
    const api = await start(['coupon-api', 'coupon-gatekeeper']);
    const couponId = await judged.newCoupon(api, 200);
    const offsets = await ofTopic();
    const answered = await sale(couponId, 300, api);
    await eventually(
      () => judged.own.redis.xlen(judged.own.names.stream),
      (length) => length === 0,
    );
    const promises = await messagesSince(offsets);
    expect(promises).toHaveLength(200);
    const old = promises.map((message, n) => {
      const promise = JSON.parse(String(message.value));
      // Of a sale before this one, and by users who have no promise in it.
      return { ...message, value: JSON.stringify({ ...promise, generation: 'old', userId: `test-user-${1_000 + n}` }) };
    });
    const poison = Array.from({ length: 7 }, (_, n) => ({ key: `poison-${n}`, value: `{"couponId": "${couponId}"` }));
    const elsewhere = promises.map((message, n) => ({ ...message, key: `elsewhere-${n}` }));
    await send(shuffled([...promises, ...promises, ...elsewhere, ...old, ...poison]));
    await Promise.all([start(['coupon-consumer']), start(['coupon-consumer'])]);
    // The group has never committed: every partition is read from its beginning.
    const verdict = await judge(before, answered);
    expect(verdict.reasons).toEqual([expect.stringMatching(/^\d+ dead letters$/)]);
    // Twice where the group was divided anew before the offset was committed.
    const { letters } = await deadLetters(judged.own.kafka, judged.own.names.couponDeadTopic, 1_000);
    expect(new Set(letters.map(({ from }) => from)).size).toBe(7);
    expect(answered.filter(({ answer }) => answer?.status === 202)).toHaveLength(200);
    expect(await judged.own.value('SELECT COUNT(*) FROM coupon_rejections')).toBe(0);
    // Gone through again from the beginning, they change nothing.
    await send(shuffled([...promises, ...old], 2));
    expect((await judge(before, answered)).reasons).toEqual([`${letters.length} dead letters`]);
  });
});

describe('a rebalance', () => {
  it('as consumers come, go and are killed while promises flow, loses none and doubles none', async () => {
    const before = await judged.before();
    const api = await start(['coupon-api', 'coupon-gatekeeper']);
    const first = await start(['coupon-consumer']);
    const couponId = await judged.newCoupon(api, 2_500);
    const answered: Answered[] = [];
    const changed = Promise.withResolvers<void>();
    let sold = 0;
    // A few at a time, so that it lasts at least as long as the consumers come and go.
    const selling = (async () => {
      for (; sold < 3_000; sold += 50) {
        answered.push(...(await sale(couponId, 50, api, sold)));
        await Promise.race([changed.promise, sleep(200)]);
      }
    })();
    const second = await start(['coupon-consumer']);
    await second.stop();
    const third = await start(['coupon-consumer']);
    await first.stop();
    await start(['coupon-consumer']);
    third.child.kill('SIGKILL');
    const soldMeanwhile = sold;
    changed.resolve();
    await selling;
    const verdict = await judge(before, answered);
    expect(verdict.reasons).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(await judged.own.value('SELECT issued_quantity FROM coupons WHERE id = ?', [couponId])).toBe(2_500);
    expect(soldMeanwhile).toBeGreaterThan(0);
    expect(soldMeanwhile).toBeLessThan(2_500);
  });

  it.each<CrashPoint>(['settle:written', 'settle:committed', 'consumer:settled'])(
    'in the middle of a batch: a consumer that stands still at %s comes back when its batch is another’s',
    async (point) => {
      const before = await judged.before();
      const api = await start(['coupon-api', 'coupon-gatekeeper']);
      const sleeper = await start(['coupon-consumer'], { dieAt: `${point}#2`, stop: true });
      const couponId = await judged.newCoupon(api, 250);
      const selling = sale(couponId, 300, api);
      await untilStopped(sleeper);
      const second = await start(['coupon-consumer']);
      const answered = await selling;
      const members = () => membersOf(judged.own.names.consumerGroup);
      // The group does without it once it has said nothing for ten seconds.
      await eventually(members, (count) => count === 1, 60_000);
      expect(second.child.exitCode).toBeNull();
      sleeper.child.kill('SIGCONT');
      // Replays: the same users, the same keys.
      expect((await sale(couponId, 300, api)).map(statusOf)).toEqual(answered.map(statusOf));
      const verdict = await judge(before, answered);
      expect(verdict.reasons).toEqual([]);
      expect(verdict.verdict).toBe('PASS');
      await eventually(members, (count) => count === 2, 30_000);
    },
  );
});

const statusOf = ({ answer }: Answered) => answer?.status;
async function membersOf(groupId: string): Promise<number> {
  const admin = judged.own.kafka.admin();
  await admin.connect();
  const { groups } = await admin.describeGroups([groupId]);
  await admin.disconnect();
  return groups[0]?.members.length ?? 0;
}
