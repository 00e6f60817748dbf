import type { Socket } from 'node:net';
import { pino } from 'pino';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import { createMetrics } from '../core/metrics.ts';
import { namesOf } from '../core/names.ts';
import { openRedis } from '../core/redis.ts';
import { type Held, OrderLock } from './order-lock.ts';

const { env, redis } = stack();
const LIFE = 5_000;

const names = namesOf('order-lock-test');
const users = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `user-${from + at}`);
const stateOf = ({ state }: Held) => state;

describe('the lock on running orders', () => {
  const client = openRedis(env.redisUrl, 'test', pino({ level: 'silent' }), { autoPipelining: false });
  client.setMaxListeners(20);
  const open = (life = LIFE) =>
    new OrderLock(client, names, life, createMetrics({ on: false, work: 'requests' }).locks);
  beforeAll(() => client.connect());
  beforeEach(async () => {
    const left = await redis.keys(`${names.orderLock('*')}`);
    const keys = await redis.keys(`${names.orderKeyLock('*', '*')}`);
    if (left.length + keys.length > 0) await redis.del(...left, ...keys);
  });
  afterAll(() => client.disconnect());

  it('is taken and given back by one call for all who ask in one turn', async () => {
    const lock = open();
    // What the first call loads, the others find.
    await lock.release(await lock.acquire('first', 'key'));
    const calls = jest.spyOn(client, 'evalsha');
    const held = await Promise.all(users(0, 50).map((user) => lock.acquire(user, `key of ${user}`)));
    expect(held.map(stateOf)).toEqual(held.map(() => 'held'));
    expect(await redis.exists(...users(0, 50).map(names.orderLock))).toBe(50);
    expect(await lock.runsUnder('user-49', 'key of user-49')).toBe(true);
    await Promise.all(held.map((one) => lock.release(one)));
    expect(await redis.exists(...users(0, 50).map(names.orderLock))).toBe(0);
    expect(await lock.runsUnder('user-49', 'key of user-49')).toBe(false);
    expect(calls).toHaveBeenCalledTimes(2);
    calls.mockRestore();
  });

  it('is told busy only to the user whose order runs, however many ask in the same turn', async () => {
    const other = open();
    const running = await other.acquire('user-7', 'an order of another process');
    const lock = open();
    const states = (await Promise.all(users(0, 20).map((user) => lock.acquire(user, undefined)))).map(stateOf);
    expect(states).toEqual(users(0, 20).map((user) => (user === 'user-7' ? 'busy' : 'held')));
    await other.release(running);
    expect(stateOf(await lock.acquire('user-7', undefined))).toBe('held');
  });

  it('is taken by one of two who ask for the same user in one turn', async () => {
    const lock = open();
    const asked = ['user-1', 'user-2', 'user-1', 'user-3', 'user-1'];
    const states = (await Promise.all(asked.map((user) => lock.acquire(user, undefined)))).map(stateOf);
    expect(states).toEqual(['held', 'held', 'busy', 'held', 'busy']);
  });

  it('is given back user by user', async () => {
    const lock = open();
    const [first, second] = await Promise.all(users(0, 2).map((user) => lock.acquire(user, undefined)));
    await lock.release(first as Held);
    expect(stateOf(await lock.acquire('user-0', undefined))).toBe('held');
    expect(stateOf(await lock.acquire('user-1', undefined))).toBe('busy');
    await lock.release(second as Held);
    expect(stateOf(await lock.acquire('user-1', undefined))).toBe('held');
  });

  it('is given back beside that of another call', async () => {
    const lock = open();
    const first = await lock.acquire('user-0', undefined);
    const second = await lock.acquire('user-1', undefined);
    await Promise.all([lock.release(first), lock.release(second)]);
    expect(stateOf(await lock.acquire('user-0', undefined))).toBe('held');
    expect(stateOf(await lock.acquire('user-1', undefined))).toBe('held');
  });

  it('is not taken from its next holder by one whose time has passed', async () => {
    const lock = open(100);
    const [late, other] = await Promise.all(users(0, 2).map((user) => lock.acquire(user, undefined)));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(stateOf(await open().acquire('user-0', undefined))).toBe('held');
    await Promise.all([lock.release(late as Held), lock.release(other as Held)]);
    expect(stateOf(await lock.acquire('user-0', undefined))).toBe('busy');
    expect(stateOf(await lock.acquire('user-1', undefined))).toBe('held');
  });

  it('costs the others no call of their own where it is known to be taken', async () => {
    const lock = open();
    await lock.acquire('user-7', undefined);
    const calls = jest.spyOn(client, 'evalsha');
    const states = (await Promise.all(users(0, 20).map((user) => lock.acquire(user, undefined)))).map(stateOf);
    expect(states.filter((state) => state === 'held')).toHaveLength(19);
    // One for all, one for the one, and Redlock's release after a refusal.
    expect(calls).toHaveBeenCalledTimes(3);
    calls.mockClear();
    const other = open();
    const again = await Promise.all([...users(20, 40), 'user-7'].map((user) => other.acquire(user, undefined, true)));
    expect(again.map(stateOf)).toEqual([...Array(20).fill('held'), 'busy']);
    expect(calls).toHaveBeenCalledTimes(22);
    calls.mockRestore();
  });

  it('is given back as soon as Redis is there again', async () => {
    const lock = open(60_000);
    const held = await lock.acquire('user-0', 'key');
    const back = new Promise((resolve) => client.once('ready', resolve));
    client.disconnect(true);
    await lock.release(held);
    expect(await lock.runsUnder('user-0', 'key')).toBe(false);
    expect(await redis.exists(names.orderLock('user-0'))).toBe(1);
    await back;
    // Sent behind the release.
    await client.ping();
    expect(await redis.exists(names.orderLock('user-0'))).toBe(0);
  });

  it('is given back where Redis took it and went away before it answered', async () => {
    const lock = open(60_000);
    const back = new Promise((resolve) => client.once('ready', resolve));
    const { retryStrategy } = client.options;
    client.options.retryStrategy = () => 500;
    const asked = lock.acquire('user-0', undefined);
    // Sent at the end of this turn.
    await new Promise((resolve) => setImmediate(resolve));
    (client as unknown as { stream: Socket }).stream.destroy();
    expect(await asked).toEqual({ state: 'open' });
    // Redis reads its connections in an order of its own.
    await eventually(
      () => redis.exists(names.orderLock('user-0')),
      (taken) => taken === 1,
    );
    await back;
    client.options.retryStrategy = retryStrategy as NonNullable<typeof retryStrategy>;
    await client.ping();
    expect(await redis.exists(names.orderLock('user-0'))).toBe(0);
  });
});
