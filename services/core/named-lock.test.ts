import type { Sequelize } from 'sequelize';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import { openSequelize } from '../database/sequelize.ts';
import { withNamedLock } from './named-lock.ts';

const { env, value } = stack();
const name = `${env.namespace}.lock-test`;
let one: Sequelize;
let two: Sequelize;
beforeAll(() => {
  one = openSequelize(env.databaseUrl, 2);
  two = openSequelize(env.databaseUrl, 2);
});
afterAll(() => Promise.all([one.close(), two.close()]));

/** Work that ends when told to. */
function held() {
  let end = () => {};
  const until = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => until, end };
}
const isHeld = () => value('SELECT IS_FREE_LOCK(?) = 0', [name]);
const untilHeld = () => eventually(isHeld, (is) => is === 1);

describe('withNamedLock', () => {
  it('lets the second wait until the first has ended', async () => {
    const order: string[] = [];
    const { work, end } = held();
    const first = withNamedLock(one, name, 5, async () => {
      await work();
      order.push('first');
    });
    await untilHeld();
    const second = withNamedLock(two, name, 5, async () => {
      order.push('second');
    });
    await eventually(
      () =>
        value("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User lock' AND info LIKE ?", [
          `%${name}%`,
        ]),
      (waiting) => waiting === 1,
    );
    end();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(await isHeld()).toBe(0);
  });

  it('fails, and does no work, where the lock is not to be had in time', async () => {
    const { work, end } = held();
    const first = withNamedLock(one, name, 5, work);
    await untilHeld();
    let worked = false;
    await expect(
      withNamedLock(two, name, 0, async () => {
        worked = true;
      }),
    ).rejects.toThrow(`the lock ${name} was not to be had within 0 s`);
    expect(worked).toBe(false);
    end();
    await first;
  });

  it('is free again after work that failed, whose error comes out', async () => {
    await expect(withNamedLock(one, name, 1, () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
    expect(await isHeld()).toBe(0);
    expect(await withNamedLock(two, name, 0, async () => 'done')).toBe('done');
  });

  it('is free again when the connection that held it is killed, and says what the work said', async () => {
    // Sequelize's word on a rollback that cannot be.
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { work, end } = held();
    const first = withNamedLock(one, name, 5, async () => {
      await work();
      throw new Error('the work’s own fault');
    });
    await untilHeld();
    await stack().db.query(`KILL ${await value('SELECT IS_USED_LOCK(?)', [name])}`);
    expect(await withNamedLock(two, name, 5, async () => 'done')).toBe('done');
    end();
    await expect(first).rejects.toThrow('the work’s own fault');
  });

  it('fails when it was lost while the work went on, which had no right to', async () => {
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { work, end } = held();
    const first = withNamedLock(one, name, 5, work);
    await untilHeld();
    await stack().db.query(`KILL ${await value('SELECT IS_USED_LOCK(?)', [name])}`);
    await eventually(isHeld, (is) => is === 0);
    end();
    await expect(first).rejects.toThrow();
  });
});
