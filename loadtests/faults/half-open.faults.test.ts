import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { createMetrics } from '../../services/core/metrics.ts';
import { openWritePool } from '../../services/core/mysql.ts';
import { withNamedLock } from '../../services/core/named-lock.ts';
import { openRedis } from '../../services/core/redis.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { type OwnStack, ownStack } from '../test/own-stack.ts';
import { eventually } from '../test/stack.ts';
import { openProxy, type TcpProxy } from './proxy.ts';

/**
 * Connections that broke without either side being told, as when a firewall forgets them: nothing comes, nothing fails.
 * Both sides must notice by themselves.
 */
let own: OwnStack;
let proxy: TcpProxy;
beforeAll(async () => {
  own = await ownStack('halfopen', { users: 20 });
});
afterAll(() => own.remove());
afterEach(() => proxy.close());

const through = async (url: string): Promise<string> => {
  const target = new URL(url);
  proxy = await openProxy(Number(target.port));
  return Object.assign(target, { port: String(proxy.port) }).toString();
};
const metrics = createMetrics().locks;
const openPool = async () =>
  openWritePool({
    databaseUrl: await through(own.config.databaseUrl),
    connections: 2,
    lockWaitTimeoutS: 3,
    metrics,
  });
const isFree = (user: string) =>
  own.db.query('SELECT id FROM users WHERE id = ? FOR UPDATE NOWAIT', [user]).then(
    () => true,
    () => false,
  );

describe('a connection to MySQL that is half open', () => {
  it('in a transaction does not keep its rows locked', async () => {
    const pool = await openPool();
    const stuck = pool.transaction(Date.now() + 2_000, async (tx) => {
      await tx.rows("SELECT id FROM users WHERE id = 'own-1' FOR UPDATE");
      proxy.blackHole();
      await tx.rows('SELECT 1');
    });
    await expect(stuck).rejects.toMatchObject({ code: 'COMMON503' });
    expect(await isFree('own-1')).toBe(false);
    // The engine ends the session that it believes to be idle after 20 s.
    await eventually(
      () => isFree('own-1'),
      (free) => free,
      40_000,
    );
    await pool.close();
  }, 60_000);

  it('in the pool is not used again after it lay idle', async () => {
    const pool = await openPool();
    const idOf = () => pool.rows<{ id: number }>(Date.now() + 3_000, 'SELECT CONNECTION_ID() AS id');
    const [before] = await idOf();
    expect(await idOf()).toEqual([before]);
    proxy.blackHole();
    await proxy.pass();
    await sleep(10_500);
    const [after] = await idOf();
    expect(after?.id).not.toBe(before?.id);
    await pool.close();
  }, 60_000);

  it('does not keep a named lock', async () => {
    const sequelize = openSequelize(await through(own.config.databaseUrl), 2, { silenceMs: 3_000 });
    const name = `${own.config.namespace}.half-open`;
    const held = withNamedLock(sequelize, name, 1, async () => {
      proxy.blackHole();
      await sleep(4_000);
    });
    await expect(held).rejects.toThrow();
    const holder = () => own.value('SELECT COALESCE(IS_USED_LOCK(?), 0)', [name]);
    expect(await holder()).toBeGreaterThan(0);
    // The engine ends a session of ours that says nothing for twice as long as we wait.
    await eventually(holder, (id) => id === 0, 20_000);
    await sequelize.close().catch(() => {});
  }, 60_000);

  it('does not keep the named lock of a program that itself waits for ever', async () => {
    const sequelize = openSequelize(await through(own.config.databaseUrl), 2);
    const name = `${own.config.namespace}.half-open-too`;
    const taken = new Promise<void>((resolve) => {
      void withNamedLock(sequelize, name, 1, async () => {
        proxy.blackHole();
        resolve();
        await sleep(60_000, undefined, { ref: false });
      }).catch(() => {});
    });
    await taken;
    const holder = () => own.value('SELECT COALESCE(IS_USED_LOCK(?), 0)', [name]);
    expect(await holder()).toBeGreaterThan(0);
    await eventually(holder, (id) => id === 0, 45_000);
  }, 90_000);
});

describe('a connection to Redis that is half open', () => {
  const open = async (commandTimeout?: number): Promise<Redis> => {
    const redis = openRedis(
      await through(own.config.redisUrl),
      'half-open',
      pino({ level: 'silent' }),
      commandTimeout ? { commandTimeout } : {},
    );
    await redis.connect();
    return redis;
  };

  it.each([
    [undefined, 3_000],
    [50, 500],
  ])(
    'is given up, and the next one works (command timeout %s)',
    async (commandTimeout, silence) => {
      const redis = await open(commandTimeout);
      expect(await redis.ping()).toBe('PONG');
      proxy.blackHole();
      await proxy.pass();
      const asked = performance.now();
      await expect(redis.ping()).rejects.toThrow();
      await eventually(
        () => redis.ping().catch(() => ''),
        (answer) => answer === 'PONG',
        15_000,
      );
      expect(performance.now() - asked).toBeLessThan(silence + 10_000);
      redis.disconnect();
    },
    60_000,
  );
});
