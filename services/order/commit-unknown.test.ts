import { type CommitFate, type MysqlProxy, mysqlProxy } from '../../loadtests/test/mysql-proxy.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { createMetrics } from '../core/metrics.ts';
import { openWritePool, type WritePool } from '../core/mysql.ts';
import { checkoutAll } from './checkout.ts';
import { LatelyWanted } from './lately-wanted.ts';
import type { Checkout } from './new-order.ts';

let own: OwnStack;
let proxy: MysqlProxy;
let pool: WritePool;
const metrics = createMetrics().locks;
beforeAll(async () => {
  own = await ownStack('checkout', { users: 20 });
  proxy = await mysqlProxy(own.config.databaseUrl);
  pool = openWritePool({ databaseUrl: proxy.url, connections: 2, lockWaitTimeoutS: 3, metrics });
  await own.db.query("INSERT INTO products (id, name, category, price) VALUES ('p', 'P', 'test', 100)");
  await own.db.query("INSERT INTO stocks (product_id, quantity) VALUES ('p', 1000)");
  for (let user = 1; user <= 20; user++) {
    await own.db.query('INSERT INTO carts (id, user_id) VALUES (?, ?)', [`c-${user}`, `own-${user}`]);
    await own.db.query("INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES (?, ?, 'p', 2)", [
      `i-${user}`,
      `c-${user}`,
    ]);
  }
});
afterAll(async () => {
  await pool.close();
  await proxy.close();
  await own.remove();
});
const checkout = (checkouts: Checkout[]) =>
  checkoutAll(pool, { cartAfterOrder: 'keep', lately: new LatelyWanted() }, checkouts, Date.now() + 10_000);
const of = (user: number, key: string): Checkout => ({ userId: `own-${user}`, couponId: undefined, key });
const counts = async () => [
  await own.value('SELECT COUNT(*) FROM orders'),
  await own.value('SELECT COUNT(*) FROM payments'),
  await own.value('SELECT COUNT(*) FROM outbox_events'),
  (1_000 - (await own.value("SELECT quantity FROM stocks WHERE product_id = 'p'"))) / 2,
];

describe('an order whose COMMIT breaks', () => {
  it.each<CommitFate>(['lost', 'answer lost', 'late'])(
    'is placed exactly once and is answered as if nothing had happened (%s)',
    async (fate) => {
      const user = { lost: 1, 'answer lost': 2, late: 3 }[fate as string] ?? 0;
      const before = await counts();
      proxy.nextCommit(fate);
      const [outcome] = await checkout([of(user, 'k')]);
      expect(outcome).toMatchObject({ ok: true, value: { totalAmount: 200, finalAmount: 200 } });
      expect((outcome as { replayed?: boolean }).replayed ?? false).toBe(false);
      expect(await counts()).toEqual(before.map((count) => count + 1));
      expect(await own.value('SELECT balance FROM users WHERE id = ?', [`own-${user}`])).toBe(999_800);
      const [again] = await checkout([of(user, 'k')]);
      expect(again).toEqual({ ok: true, replayed: true, value: (outcome as { value: unknown }).value });
    },
  );

  it('leaves a replay in the same batch a replay', async () => {
    await checkout([of(4, 'old')]);
    proxy.nextCommit('answer lost');
    const outcomes = await checkout([of(4, 'old'), of(5, 'new'), { ...of(6, 'new'), userId: 'nobody' }]);
    expect(outcomes.map((outcome) => (outcome.ok ? (outcome.replayed ?? false) : outcome.code))).toEqual([
      true,
      false,
      'U001',
    ]);
  });
});
