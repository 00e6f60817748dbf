import { type OwnStack, ownStack } from '../loadtests/test/own-stack.ts';
import { stack } from '../loadtests/test/stack.ts';
import { freePort, type Started } from '../loadtests/test/start-services.ts';
import { bearer, type Signer, token } from '../loadtests/test/tokens.ts';

const { api } = stack();
const signer: Signer = { alg: 'HS256', secret: 'a secret of the tests, long enough' };
const user = bearer(token(signer, { sub: 'own-1' }));
const admin = bearer(token(signer, { sub: 'own-2', scope: 'onrush:admin' }));
const coupon = {
  name: 'Inside',
  discountType: 'FIXED',
  discountValue: 1,
  totalQuantity: 10,
  validFrom: new Date(Date.now() - 3_600_000).toISOString(),
  validUntil: new Date(Date.now() + 3_600_000).toISOString(),
};

let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('admin', { users: 3, topics: true });
}, 60_000);
afterAll(() => own.remove());

describe('a port for administration', () => {
  let outside: Started;
  let inside: string;
  beforeAll(async () => {
    const port = await freePort();
    inside = `http://127.0.0.1:${port}`;
    const settings = { AUTH: 'on', AUTH_SECRET: signer.secret, ONRUSH_ADMIN_PORT: String(port), WORKERS: '2' };
    outside = await own.start(settings);
  }, 60_000);

  it('has metrics, documents and coupon creation, and the public one has them no more', async () => {
    for (const path of ['/metrics', '/docs', '/docs/start.js', '/openapi.json']) {
      expect([path, (await fetch(`${inside}${path}`)).status]).toEqual([path, 200]);
      expect([path, (await fetch(`${outside.url}${path}`)).status]).toEqual([path, 404]);
    }
    const create = (url: string, headers: Record<string, string>) =>
      api('POST', '/api/coupons', { url, body: coupon, headers });
    expect((await create(outside.url, admin)).status).toBe(405);
    expect((await create(inside, {})).status).toBe(401);
    expect((await create(inside, user)).status).toBe(403);
    expect((await create(inside, admin)).status).toBe(201);
  });

  it('has nothing else but health, and its document the whole contract', async () => {
    const { paths } = (await api('GET', '/openapi.json', { url: inside })).body;
    expect(Object.keys(paths).length).toBeGreaterThan(15);
    for (const path of ['/api/products', '/api/coupons', '/api/users/own-1/balance']) {
      expect([path, (await api('GET', path, { url: outside.url, headers: user })).status]).toEqual([path, 200]);
      expect((await api('GET', path, { url: inside, headers: user })).status).toBeGreaterThanOrEqual(404);
    }
    for (const url of [inside, outside.url]) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('counts what both ports answer, and closes with the public one', async () => {
    const text = await (await fetch(`${inside}/metrics`)).text();
    expect(text).toMatch(
      /onrush_http_request_duration_seconds_count\{[^}]*route="\/api\/coupons",status="201"[^}]*\} 1\b/,
    );
    expect(await outside.stop()).toBe(0);
    await expect(fetch(`${inside}/health/live`)).rejects.toThrow();
  });
});

describe('a user’s rate', () => {
  let url: string;
  beforeAll(async () => {
    const settings = { AUTH: 'on', AUTH_SECRET: signer.secret, ONRUSH_RATE_LIMIT: '1', ONRUSH_RATE_BURST: '5' };
    ({ url } = await own.start({ ...settings, ROLES: 'balance-api' }));
  }, 60_000);
  const charge = (n: number) =>
    api('POST', `/api/users/own-${n}/balance/charge`, {
      url,
      body: { amount: 1 },
      headers: bearer(token(signer, { sub: `own-${n}` })),
    });
  const history = (n: number) =>
    own.value('SELECT COUNT(*) FROM balance_charge_history WHERE user_id = ?', [`own-${n}`]);

  it('is bounded before any work, says when to come again, and is nobody else’s', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => charge(1)));
    const taken = answers.filter(({ status }) => status === 200).length;
    const refused = answers.filter(({ status }) => status === 429);
    // Five at once, and one more for each second that this took.
    expect(taken).toBeGreaterThanOrEqual(5);
    expect(taken).toBeLessThan(15);
    expect(taken + refused.length).toBe(20);
    expect(await history(1)).toBe(taken);
    for (const { body, headers } of refused) {
      expect(body.code).toBe('A429');
      expect(headers.get('retry-after')).toMatch(/^[1-5]$/);
    }
    expect((await charge(3)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * Number(refused[0]?.headers.get('retry-after'))));
    expect((await charge(1)).status).toBe(200);
  });

  it('cannot be spent by somebody without the user’s token', async () => {
    const anothers = bearer(token({ alg: 'HS256', secret: 'x'.repeat(40) }, { sub: 'own-2' }));
    for (let n = 0; n < 20; n++)
      expect((await api('GET', '/api/users/own-2/balance', { url, headers: anothers })).status).toBe(401);
    expect((await charge(2)).status).toBe(200);
  });
});

describe('a body that nobody reads', () => {
  it('ends the connection of a refused call, and is not taken for the next request', async () => {
    const { url } = await own.start({ AUTH: 'on', AUTH_SECRET: signer.secret, ROLES: 'balance-api' });
    const path = '/api/users/own-1/balance/charge';
    const long = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 1, transactionId: 'x'.repeat(100_000) }),
    });
    expect([long.status, long.headers.get('connection')]).toEqual([401, 'close']);
    const short = await api('POST', path, { url, body: { amount: 1 } });
    expect([short.status, short.headers.get('connection')]).toEqual([401, 'keep-alive']);
  });
});
