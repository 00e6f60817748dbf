import { type CommitFate, type MysqlProxy, mysqlProxy } from '../../loadtests/test/mysql-proxy.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { createMetrics } from '../core/metrics.ts';
import { openWritePool, type WritePool } from '../core/mysql.ts';
import { chargeAll } from './charge.ts';

let own: OwnStack;
let proxy: MysqlProxy;
let pool: WritePool;
const metrics = createMetrics().locks;
beforeAll(async () => {
  own = await ownStack('charge', { users: 20 });
  proxy = await mysqlProxy(own.config.databaseUrl);
  pool = openWritePool({ databaseUrl: proxy.url, connections: 2, lockWaitTimeoutS: 3, metrics });
});
afterAll(async () => {
  await pool.close();
  await proxy.close();
  await own.remove();
});
const charge = (user: number, key: string) =>
  chargeAll(pool, [{ userId: `own-${user}`, amount: 7, key }], Date.now() + 10_000);

describe('a charge whose COMMIT breaks', () => {
  it.each<CommitFate>(['lost', 'answer lost', 'late'])(
    'takes effect exactly once and is answered as if nothing had happened (%s)',
    async (fate) => {
      const user = { lost: 1, 'answer lost': 2, late: 3 }[fate as string] ?? 0;
      proxy.nextCommit(fate);
      const [outcome] = await charge(user, 'k');
      expect(outcome).toMatchObject({ ok: true, value: { previousBalance: 1_000_000, currentBalance: 1_000_007 } });
      expect((outcome as { replayed?: boolean }).replayed ?? false).toBe(false);
      expect(await own.value('SELECT balance FROM users WHERE id = ?', [`own-${user}`])).toBe(1_000_007);
      expect(await own.value('SELECT COUNT(*) FROM balance_charge_history WHERE user_id = ?', [`own-${user}`])).toBe(1);
      const [again] = await charge(user, 'k');
      expect(again).toEqual({ ok: true, replayed: true, value: (outcome as { value: unknown }).value });
    },
  );

  it('is told to be unknown soon, not at its deadline, if the database stays away', async () => {
    const leaving = await mysqlProxy(own.config.databaseUrl);
    const through = openWritePool({ databaseUrl: leaving.url, connections: 2, lockWaitTimeoutS: 3, metrics });
    const gone = leaving.nextCommit('lost').then(() => leaving.close());
    const began = performance.now();
    const answer = chargeAll(through, [{ userId: 'own-6', amount: 7, key: 'k' }], Date.now() + 10_000);
    await expect(answer).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON504' });
    expect(performance.now() - began).toBeLessThan(4_000);
    await gone;
    await through.close();
  });

  it('answers all of a batch: new ones as new, a replay among them as a replay', async () => {
    await charge(4, 'old');
    proxy.nextCommit('answer lost');
    const outcomes = await chargeAll(
      pool,
      [
        { userId: 'own-4', amount: 7, key: 'old' },
        { userId: 'own-5', amount: 7, key: 'new' },
        { userId: 'nobody', amount: 7, key: 'new' },
      ],
      Date.now() + 10_000,
    );
    expect(outcomes.map((outcome) => (outcome.ok ? (outcome.replayed ?? false) : outcome.code))).toEqual([
      true,
      false,
      'U001',
    ]);
    expect(await own.value("SELECT SUM(amount) FROM balance_charge_history WHERE user_id IN ('own-4', 'own-5')")).toBe(
      14,
    );
  });
});
