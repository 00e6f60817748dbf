import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnStack, ownStack } from '../loadtests/test/own-stack.ts';
import { eventually, stack } from '../loadtests/test/stack.ts';
import { bearer, type Signer, token, unsigned } from '../loadtests/test/tokens.ts';

/** Everything a process prints while it is used, misused and cut off from its engines, and what must not be in it. */
const { api } = stack();
const signer: Signer = { alg: 'HS256', secret: 'the-secret-that-nobody-may-ever-read-in-a-log' };

let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('secrets', { users: 2, topics: true });
}, 60_000);
afterAll(() => own.remove());

const logOf = (n: number) =>
  readFileSync(join(process.env.ONRUSH_DIR ?? '.onrush', 'log', `test-secrets-${n}.log`), 'utf8');

it('no secret, token or password is ever printed, at any level, whatever fails', async () => {
  const passwords = [own.env.DATABASE_URL, own.env.REDIS_URL].map((url) => new URL(url as string).password);
  expect(passwords.every((password) => password.length > 8)).toBe(true);
  const settings = { AUTH: 'on', AUTH_SECRET: signer.secret, LOG_LEVEL: 'debug', ONRUSH_RATE_LIMIT: '0' };
  const started = await own.start(settings);
  const { url } = started;
  const tokens = {
    good: token(signer, { sub: 'own-1' }),
    admin: token(signer, { sub: 'own-2', scope: 'onrush:admin' }),
    others: token({ alg: 'HS256', secret: 'x'.repeat(40) }, { sub: 'own-1' }),
    expired: token(signer, { sub: 'own-1', exp: 1 }),
    unsigned: unsigned({ sub: 'own-1' }),
  };
  const charge = (by: string, body: unknown, path = '/api/users/own-1/balance/charge') =>
    api('POST', path, { url, body, headers: { ...bearer(by), 'idempotency-key': 'a-key' } });
  for (const by of Object.values(tokens)) {
    await charge(by, { amount: 1 });
    await charge(by, '{"amount":');
    await charge(by, { amount: 'x'.repeat(20_000) });
    await charge(by, { amount: 1 }, `/api/users/own-1/balance/charge?access_token=${by}`);
    await charge(by, {}, '/api/coupons');
  }
  // Failures that are logged: a table that is gone under a read, a write and a coupon's creation.
  await own.db.query('RENAME TABLE users TO users_away, coupons TO coupons_away');
  expect((await charge(tokens.good, { amount: 2 })).status).toBeGreaterThanOrEqual(500);
  const read = await api('GET', '/api/users/own-1/balance', { url, headers: bearer(tokens.good) });
  expect(read.status).toBeGreaterThanOrEqual(500);
  await own.db.query('RENAME TABLE users_away TO users, coupons_away TO coupons');
  await eventually(
    async () => logOf(1),
    (log) => log.includes('request failed'),
  );
  await started.stop();

  // A start that fails, too: an engine that lets nobody in.
  const wrong = new URL(own.env.REDIS_URL as string);
  wrong.password = 'a-password-that-redis-does-not-take';
  await expect(own.start({ ...settings, REDIS_URL: wrong.toString() })).rejects.toThrow('ended at start');

  const log = logOf(1) + logOf(2);
  expect(log.length).toBeGreaterThan(1_000);
  const signatures = Object.values(tokens).map((text) => text.split('.')[2] ?? '');
  const secrets = [signer.secret, ...passwords, wrong.password, ...Object.values(tokens), ...signatures];
  for (const secret of secrets.filter((text) => text !== ''))
    expect([secret, log.includes(secret)]).toEqual([secret, false]);
}, 120_000);
