import { eventually } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import { type Answered, figuresOf, issue, untilDefinite } from './clients.ts';
import { buildGates, type JudgedStack, judgedStack, rolesWithout, untilStopped } from './judged-stack.ts';

let judged: JudgedStack;
let running: Started[] = [];
beforeAll(async () => {
  judged = await judgedStack('two', 400);
  await buildGates(judged);
}, 60_000);
afterEach(async () => {
  // A stopped process does not hear a SIGTERM.
  await Promise.all(
    running.map((one) => {
      one.child.kill('SIGCONT');
      return one.stop();
    }),
  );
  running = [];
});
afterAll(() => judged.remove());

const start = async (...args: Parameters<JudgedStack['start']>) => {
  const one = await judged.start(...args);
  running.push(one);
  return one;
};
const ask = (couponId: string, from: number, to: number, { url }: Started) =>
  untilDefinite(
    Array.from({ length: to - from + 1 }, (_, n) =>
      issue(couponId, `test-user-${from + n}`, `k-${couponId}-${n + from}`),
    ),
    () => [url],
  );
/** Takes the lock from the connection that has it, or waits until the engine does, which has not heard of it for so long. */
async function loseLock(name: string, how: 'cut off' | 'silent' = 'cut off') {
  const holder = await judged.own.value('SELECT IS_USED_LOCK(?)', [name]);
  if (how === 'cut off') await judged.own.db.query(`KILL CONNECTION ${holder}`);
  await eventually(
    () => judged.own.value('SELECT COALESCE(IS_USED_LOCK(?), 0)', [name]),
    (now) => now !== holder,
    45_000,
  );
}
const leaderHas = (lease: string, not: number) =>
  eventually(
    () => judged.own.value('SELECT COALESCE(IS_USED_LOCK(?), 0)', [lease]),
    (now) => now > 0 && now !== not,
  );

describe('two gatekeepers at once', () => {
  it('hand the same promises to Kafka twice, and each is one coupon', async () => {
    const before = await judged.before();
    const keeper = await start(rolesWithout('coupon-gatekeeper'));
    const first = await start(['coupon-gatekeeper'], { dieAt: 'relay:acknowledged#3', stop: true });
    const { gatekeeperLease, stream, couponTopic } = judged.own.names;
    const leading = await leaderHas(gatekeeperLease, 0);
    const couponId = await judged.newCoupon(keeper, 200);
    const answered: Answered[] = [];
    const sale = (async () => {
      for (let from = 1; from < 300; from += 20) answered.push(...(await ask(couponId, from, from + 19, keeper)));
    })();
    await untilStopped(first);
    await start(['coupon-gatekeeper']);
    await loseLock(gatekeeperLease);
    await leaderHas(gatekeeperLease, leading);
    await sale;
    await eventually(
      () => judged.own.redis.xlen(stream),
      (length) => length === 0,
      30_000,
    );
    first.child.kill('SIGCONT');
    answered.push(...(await ask(couponId, 301, 380, keeper)));
    const verdict = await judged.verdict(figuresOf(before, answered));
    expect(verdict.reasons).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(await judged.own.value('SELECT issued_quantity FROM coupons WHERE id = ?', [couponId])).toBe(200);
    // Those that the first had sent before it stopped were sent again by the second.
    const admin = judged.own.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(couponTopic);
    await admin.disconnect();
    expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBeGreaterThan(200);
  });

  it.each([
    ['rebuild:closed', 'cut off'],
    ['rebuild:emptied', 'cut off'],
    ['rebuild:loaded', 'silent'],
  ] as const)(
    'do not undo each other’s rebuild: one that woke up at %s, %s, leaves the gate of the other alone',
    async (point, how) => {
      const before = await judged.before();
      const keeper = await start(rolesWithout('coupon-gatekeeper'));
      const first = await start(['coupon-gatekeeper'], { dieAt: `${point}#1`, stop: true });
      const { gatekeeperLease, gate, gateLock, admitted } = judged.own.names;
      const leading = await leaderHas(gatekeeperLease, 0);
      const couponId = await judged.newCoupon(keeper, 100);
      await untilStopped(first);
      // The coupon is replaced, as seeding does; the first read it before.
      await judged.own.db.query("UPDATE coupons SET generation = 'replaced' WHERE id = ?", [couponId]);
      await start(['coupon-gatekeeper']);
      await loseLock(gatekeeperLease, how);
      await loseLock(gateLock(couponId), how);
      await leaderHas(gatekeeperLease, leading);
      const answered = await ask(couponId, 1, 60, keeper);
      expect(answered.map(({ answer }) => answer?.status)).toEqual(Array(60).fill(202));
      first.child.kill('SIGCONT');
      answered.push(...(await ask(couponId, 61, 150, keeper)));
      const verdict = await judged.verdict(figuresOf(before, answered));
      expect(verdict.reasons).toEqual([]);
      expect(verdict.verdict).toBe('PASS');
      expect(await judged.own.redis.hget(gate(couponId), 'generation')).toBe('replaced');
      expect(await judged.own.redis.hlen(admitted(couponId))).toBe(100);
    },
  );
});
