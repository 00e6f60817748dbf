import { randomUUID } from 'node:crypto';
import { type CommitFate, type MysqlProxy, mysqlProxy } from '../../loadtests/test/mysql-proxy.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { createMetrics } from '../core/metrics.ts';
import { openWritePool, type WritePool } from '../core/mysql.ts';
import { type Delivered, settlePromises } from './settle.ts';

let own: OwnStack;
let proxy: MysqlProxy;
let one: WritePool;
let two: WritePool;
const metrics = createMetrics().locks;
beforeAll(async () => {
  own = await ownStack('settle', { users: 200 });
  proxy = await mysqlProxy(own.config.databaseUrl);
  const options = { connections: 2, lockWaitTimeoutS: 3, metrics };
  one = openWritePool({ ...options, databaseUrl: proxy.url });
  two = openWritePool({ ...options, databaseUrl: own.config.databaseUrl });
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await proxy.close();
  await own.remove();
});

const GENERATION = 'gen-now';
async function newCoupon(total: number): Promise<string> {
  const id = `c-${randomUUID()}`;
  await own.db.query(
    `INSERT INTO coupons (id, name, discount_type, discount_value, total_quantity, generation, valid_from, valid_until)
     VALUES (?, 'Test', 'FIXED', 1, ?, ?, NOW() - INTERVAL 1 DAY, NOW() + INTERVAL 1 DAY)`,
    [id, total, GENERATION],
  );
  return id;
}
const promise = (couponId: string, user: number | string, offset: number, generation = GENERATION): Delivered => ({
  couponId,
  userId: typeof user === 'number' ? `own-${user}` : user,
  key: `key-${user}`,
  generation,
  streamId: `1700000000000-${offset}`,
  acceptedAt: 1_700_000_000_000 + offset,
  partition: 0,
  offset: String(offset),
});
const promises = (couponId: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => promise(couponId, from + n, from + n));
const settle = (couponId: string, batch: Delivered[], pool = one) =>
  settlePromises(pool, couponId, batch, Date.now() + 10_000);
const users = (batch: Delivered[]) => batch.map(({ userId }) => userId);

/** Everything that MySQL knows of a coupon. */
async function stateOf(couponId: string) {
  const [holders] = await own.db.query(
    'SELECT user_id, stream_id, topic_offset, idempotency_key, accepted_at FROM user_coupons WHERE coupon_id = ? ORDER BY topic_offset',
    [couponId],
  );
  const [rejections] = await own.db.query(
    'SELECT user_id, stream_id, reason FROM coupon_rejections WHERE coupon_id = ? ORDER BY topic_offset',
    [couponId],
  );
  return {
    issued: await own.value('SELECT issued_quantity FROM coupons WHERE id = ?', [couponId]),
    holders: holders as { user_id: string; stream_id: string }[],
    rejections: rejections as { user_id: string; reason: string }[],
  };
}

describe('settling promises', () => {
  it('issues them all where they fit, with what was promised', async () => {
    const coupon = await newCoupon(10);
    const batch = promises(coupon, 1, 3);
    expect(await settle(coupon, batch)).toEqual({ issued: batch, rejected: [], dropped: 0 });
    const state = await stateOf(coupon);
    expect(state.issued).toBe(3);
    expect(state.holders[1]).toEqual({
      user_id: 'own-2',
      stream_id: '1700000000000-2',
      topic_offset: 2,
      idempotency_key: 'key-2',
      accepted_at: new Date(1_700_000_000_002),
    });
  });

  it('again changes nothing, and says that nothing was issued', async () => {
    const coupon = await newCoupon(10);
    const batch = [...promises(coupon, 1, 3), promise(coupon, 'nobody', 4)];
    await settle(coupon, batch);
    const before = await stateOf(coupon);
    const again = await settle(coupon, batch);
    expect(await stateOf(coupon)).toEqual(before);
    expect(before.issued).toBe(3);
    expect(users(again.issued)).toEqual([]);
    expect(again.dropped).toBe(3);
  });

  it('partly again issues only what is new', async () => {
    const coupon = await newCoupon(10);
    await settle(coupon, promises(coupon, 1, 3));
    const overlapping = await settle(coupon, promises(coupon, 2, 6));
    expect(users(overlapping.issued)).toEqual(['own-4', 'own-5', 'own-6']);
    expect(overlapping.dropped).toBe(2);
    expect((await stateOf(coupon)).issued).toBe(6);
  });

  it('drops promises of another generation, and all of a coupon that is gone', async () => {
    const coupon = await newCoupon(10);
    const old = promise(coupon, 1, 1, 'gen-before');
    expect(await settle(coupon, [old, promise(coupon, 2, 2)])).toMatchObject({ dropped: 1, rejected: [] });
    expect((await stateOf(coupon)).holders.map((row) => row.user_id)).toEqual(['own-2']);
    expect(await settle('no-such-coupon', promises('no-such-coupon', 1, 3))).toEqual({
      issued: [],
      rejected: [],
      dropped: 3,
    });
    expect((await stateOf('no-such-coupon')).holders).toEqual([]);
  });

  it('rejects users that do not exist, and them alone', async () => {
    const coupon = await newCoupon(10);
    const settled = await settle(coupon, [
      promise(coupon, 'ghost-1', 1),
      promise(coupon, 1, 2),
      promise(coupon, 'ghost-2', 3),
    ]);
    expect(settled.rejected.map(({ promise: { userId }, reason }) => [userId, reason])).toEqual([
      ['ghost-1', 'UNKNOWN_USER'],
      ['ghost-2', 'UNKNOWN_USER'],
    ]);
    const state = await stateOf(coupon);
    expect(state.rejections.map((row) => row.user_id)).toEqual(['ghost-1', 'ghost-2']);
    expect([state.issued, state.holders.length]).toEqual([1, 1]);
  });

  it('gives the last 5 to the first 5 of 8 by offset and tells the other 3 that it is sold out', async () => {
    const coupon = await newCoupon(5);
    const settled = await settle(coupon, promises(coupon, 1, 8));
    expect(users(settled.issued)).toEqual(['own-1', 'own-2', 'own-3', 'own-4', 'own-5']);
    expect(settled.rejected.map(({ reason }) => reason)).toEqual(['SOLD_OUT', 'SOLD_OUT', 'SOLD_OUT']);
    const state = await stateOf(coupon);
    expect(state.issued).toBe(5);
    expect(state.holders.map((row) => row.user_id)).toEqual(['own-1', 'own-2', 'own-3', 'own-4', 'own-5']);
    expect(state.rejections.map((row) => [row.user_id, row.reason])).toEqual([
      ['own-6', 'SOLD_OUT'],
      ['own-7', 'SOLD_OUT'],
      ['own-8', 'SOLD_OUT'],
    ]);
    const before = await stateOf(coupon);
    await settle(coupon, promises(coupon, 1, 8));
    expect(await stateOf(coupon)).toEqual(before);
  });

  it('sorts a mixture out: old generation, unknown, twice the same user, held before, fitting and too many', async () => {
    const coupon = await newCoupon(4);
    await settle(coupon, [promise(coupon, 1, 1)]);
    const settled = await settle(coupon, [
      promise(coupon, 9, 2, 'gen-before'),
      promise(coupon, 1, 3),
      promise(coupon, 'ghost', 4),
      promise(coupon, 2, 5),
      promise(coupon, 2, 6),
      promise(coupon, 3, 7),
      promise(coupon, 4, 8),
      promise(coupon, 5, 9),
      promise(coupon, 6, 10),
    ]);
    expect(settled.issued.map(({ userId, offset }) => [userId, offset])).toEqual([
      ['own-2', '5'],
      ['own-3', '7'],
      ['own-4', '8'],
    ]);
    expect(settled.rejected.map(({ promise: { userId }, reason }) => [userId, reason])).toEqual([
      ['ghost', 'UNKNOWN_USER'],
      ['own-5', 'SOLD_OUT'],
      ['own-6', 'SOLD_OUT'],
    ]);
    expect(settled.dropped).toBe(3);
    expect((await stateOf(coupon)).issued).toBe(4);
  });

  it('by two consumers at once on overlapping batches issues each once and never too many', async () => {
    for (const total of [200, 45]) {
      const coupon = await newCoupon(total);
      const settled = await Promise.all([
        settle(coupon, promises(coupon, 1, 60), one),
        settle(coupon, promises(coupon, 31, 90), two),
        settle(coupon, promises(coupon, 20, 70), one),
        settle(coupon, promises(coupon, 1, 90), two),
      ]);
      const rows = Math.min(90, total);
      const state = await stateOf(coupon);
      expect(state.issued).toBe(rows);
      expect(state.holders).toHaveLength(rows);
      const said = settled.flatMap(({ issued }) => users(issued));
      expect(said).toHaveLength(rows);
      expect(new Set(said)).toEqual(new Set(state.holders.map((row) => row.user_id)));
    }
  });

  it.each<CommitFate>(['lost', 'answer lost', 'late'])(
    'takes effect once when its COMMIT breaks (%s)',
    async (fate) => {
      const coupon = await newCoupon(3);
      const batch = promises(coupon, 1, 5);
      proxy.nextCommit(fate);
      const settled = await settle(coupon, batch);
      const state = await stateOf(coupon);
      expect([state.issued, state.holders.length, state.rejections.length]).toEqual([3, 3, 2]);
      expect(settled.rejected).toHaveLength(2);
      // What the client is told rests on it: withdrawn must be those, and only those, that hold nothing.
      for (const { promise: rejected } of settled.rejected)
        expect(state.holders.map((row) => row.user_id)).not.toContain(rejected.userId);
    },
  );
});
