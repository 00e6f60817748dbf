import { pino } from 'pino';
import { stack } from '../../loadtests/test/stack.ts';
import { connectFirst, openRedis } from './redis.ts';

const { env } = stack();
const logger = pino({ level: 'silent' });
const at = (change: { password?: string; port?: string }) =>
  openRedis(Object.assign(new URL(env.redisUrl), change).toString(), 'test', logger);

describe('the first connection to Redis', () => {
  it.each([
    ['a wrong password', { password: 'wrong' }, /WRONGPASS/],
    ['no password where one is needed', { password: '' }, /NOAUTH/],
  ])('stops the program at %s, and does not show it', async (_, change, reason) => {
    const redis = at(change);
    const refused = connectFirst(redis);
    await expect(refused).rejects.toMatchObject({ name: 'BadConfig', message: expect.stringMatching(reason) });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('wrong') });
    redis.disconnect();
  });

  it('to one that is away is tried again later', async () => {
    const redis = at({ port: '9' });
    await expect(connectFirst(redis)).resolves.toBeUndefined();
    redis.disconnect();
  });

  it('is there afterwards', async () => {
    const redis = at({});
    await connectFirst(redis);
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
  });
});
