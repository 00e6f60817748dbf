import { type Logger, pino } from 'pino';
import { type OwnStack, ownStack } from '../../../loadtests/test/own-stack.ts';
import { eventually } from '../../../loadtests/test/stack.ts';
import type { Running } from '../lifecycle.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { openWritePool, type WritePool } from '../mysql.ts';
import { watchRowLocks } from './watch-row-locks.ts';

let own: OwnStack;
let pool: WritePool;
let watch: Running;
let metrics: Metrics;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  own = await ownStack('rowlocks', { users: 3 });
  metrics = createMetrics();
  pool = openWritePool({
    databaseUrl: own.config.databaseUrl,
    connections: 2,
    lockWaitTimeoutS: 3,
    metrics: metrics.locks,
  });
  lines = [];
  const logger: Logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  watch = watchRowLocks({ pool, metrics, logger });
});
afterAll(async () => {
  await watch?.stop();
  await pool?.close();
  await own?.remove();
});

const gauge = async (name: 'lockWaiters' | 'lockOldest' | 'lockWaits', table: string, index: string) =>
  (await metrics[name].get()).values.find(({ labels }) => labels.table === table && labels.index === index)?.value;
const samples = async (result: string) =>
  (await metrics.lockSamples.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0;

/** Holds a row until `release`, while others ask for it. */
async function holdUser(user: string) {
  const holder = await own.db.getConnection();
  await holder.beginTransaction();
  await holder.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [user]);
  return {
    async release() {
      await holder.commit();
      holder.release();
    },
  };
}
const askFor = (user: string) => own.db.query('UPDATE users SET balance = balance + 1 WHERE id = ?', [user]);

describe('the watch over row locks', () => {
  it('says on which table and index transactions wait, for how long, and stops saying so', async () => {
    const held = await holdUser('own-1');
    const waiting = [askFor('own-1'), askFor('own-1')];
    await eventually(
      () => gauge('lockWaiters', 'users', 'PRIMARY'),
      (waiters) => waiters === 2,
    );
    const first = (await gauge('lockOldest', 'users', 'PRIMARY')) ?? 0;
    await eventually(
      () => gauge('lockOldest', 'users', 'PRIMARY'),
      (oldest) => (oldest ?? 0) > Math.max(first, 0.3),
    );
    await held.release();
    await Promise.all(waiting);
    await eventually(
      async () => [await gauge('lockWaiters', 'users', 'PRIMARY'), await gauge('lockOldest', 'users', 'PRIMARY')],
      ([waiters, oldest]) => waiters === 0 && oldest === 0,
    );
  });

  it('logs each long wait once: who waits for whom, with what statement, without anybody’s values', async () => {
    lines.length = 0;
    const counted = (await gauge('lockWaits', 'users', 'PRIMARY')) ?? 0;
    const held = await holdUser('own-2');
    const waiting = askFor('own-2');
    const [line] = await eventually(
      async () => lines,
      (seen) => seen.length > 0,
    );
    expect(line).toMatchObject({
      msg: 'a transaction waits for a row',
      table: 'users',
      index: 'PRIMARY',
      row: expect.stringContaining('own-2'),
      waiting: { statement: expect.stringMatching(/^UPDATE users SET balance = balance \+ \? WHERE id = \?$/) },
      blocking: { statement: null },
    });
    const { waiting: waiter, blocking } = line as Record<'waiting' | 'blocking', { connection: number }>;
    expect(waiter.connection).not.toBe(blocking.connection);
    // Several samples later there is still one line and one wait.
    const before = await samples('read');
    await eventually(
      () => samples('read'),
      (read) => read > before + 2,
    );
    expect(lines).toHaveLength(1);
    expect(await gauge('lockWaits', 'users', 'PRIMARY')).toBe(counted + 1);
    await held.release();
    await waiting;
  });

  it('does not read the engine’s lists while nobody waits', async () => {
    const quiet = await samples('quiet');
    const read = await samples('read');
    await eventually(
      () => samples('quiet'),
      (looks) => looks > quiet + 1,
    );
    expect(await samples('read')).toBe(read);
    expect(await samples('failed')).toBe(0);
  });
});
