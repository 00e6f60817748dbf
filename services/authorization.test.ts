import { type OwnStack, ownStack } from '../loadtests/test/own-stack.ts';
import { type Answer, stack } from '../loadtests/test/stack.ts';
import { bearer, type Signer, token, unsigned } from '../loadtests/test/tokens.ts';

/*
 * Every operation of /openapi.json, asked by nobody, by somebody else and by the one it is about: an endpoint that comes
 * later is asked too.
 */
const { api } = stack();
const secret: Signer = { alg: 'HS256', secret: 'a secret of the tests, long enough' };
const SETTINGS = {
  AUTH: 'on',
  AUTH_SECRET: secret.secret,
  AUTH_AUDIENCE: 'onrush',
  ONRUSH_RATE_LIMIT: '0',
  ONRUSH_CART_AFTER_ORDER: 'keep',
};
const OWNER = 'own-1';
const of = (sub: string, more: Record<string, unknown> = {}) => token(secret, { sub, aud: 'onrush', ...more });
const ADMIN = of('own-3', { scope: 'profile onrush:admin' });

/** For whoever has a token; all others are about one user or for administration. */
const FOR_ANYBODY = ['listProducts', 'popularProducts', 'readProduct', 'readStock', 'listCoupons', 'readCoupon'];

interface Operation {
  operationId: string;
  method: string;
  path: string;
  body: unknown;
}

let own: OwnStack;
let url: string;
let operations: Operation[];
beforeAll(async () => {
  own = await ownStack('authz', { users: 3, topics: true });
  ({ url } = await own.start(SETTINGS));
  await own.db.query("INSERT INTO products (id, name, category, price) VALUES ('auth-p', 'One', 'test', 500)");
  await own.db.query("INSERT INTO stocks (product_id, quantity) VALUES ('auth-p', 100)");
  await own.db.query("INSERT INTO carts (id, user_id) VALUES ('auth-cart', ?)", [OWNER]);
  await own.db.query(
    "INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES ('auth-item', 'auth-cart', 'auth-p', 2)",
  );
  const coupon = await call('POST', '/api/coupons', ADMIN, couponBody);
  const order = await call('POST', '/api/orders', of(OWNER), { userId: OWNER });
  expect([coupon.status, order.status]).toEqual([201, 200]);
  const ids = {
    userId: OWNER,
    couponId: coupon.body.couponId,
    productId: 'auth-p',
    itemId: 'auth-item',
    orderId: order.body.orderId,
  };
  const document = (await api('GET', '/openapi.json', { url })).body;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    // biome-ignore lint/suspicious/noExplicitAny: a document of every shape
    Object.entries(methods as Record<string, any>).map(([method, { operationId, parameters, requestBody }]) => {
      const fill = (at: string) =>
        parameters.filter((one: { in: string; required: boolean }) => one.in === at && one.required);
      const query = fill('query').map(({ name }: { name: keyof typeof ids }) => `${name}=${ids[name]}`);
      const schema = requestBody?.content['application/json'].schema;
      return {
        operationId,
        method: method.toUpperCase(),
        path: path.replace(/\{(\w+)\}/g, (_, name: keyof typeof ids) => ids[name]) + (query.length ? `?${query}` : ''),
        body: operationId === 'createCoupon' ? couponBody : schema && example(schema, ids),
      };
    }),
  );
}, 120_000);
afterAll(() => own.remove());

const couponBody = {
  name: 'Guarded',
  discountType: 'FIXED',
  discountValue: 1,
  totalQuantity: 10,
  validFrom: new Date(Date.now() - 3_600_000).toISOString(),
  validUntil: new Date(Date.now() + 3_600_000).toISOString(),
};

/** A body that the schema accepts: required properties alone. */
function example(
  { required = [], properties }: { required?: string[]; properties: Record<string, { minimum?: number }> },
  ids: Record<string, string>,
): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, ids[name] ?? properties[name]?.minimum ?? 1]));
}

const call = (method: string, path: string, by: string | undefined, body?: unknown): Promise<Answer> =>
  api(method, path, { url, body, ...(by === undefined ? {} : { headers: bearer(by) }) });

/** What each operation answers to this token, by name. */
async function answers(by: string | undefined): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const { operationId, method, path, body } of operations) {
    const answer = await call(method, path, by, body);
    seen[operationId] = `${answer.status} ${answer.body?.code ?? ''}`.trim();
  }
  return seen;
}

/** All that a call could have changed. */
async function footprint(): Promise<unknown> {
  const tables = ['users', 'balance_charge_history', 'cart_items', 'orders', 'payments', 'user_coupons', 'coupons'];
  return Promise.all(tables.map(async (table) => (await own.db.query(`SELECT * FROM ${table}`))[0]));
}
const all = (answer: string) => Object.fromEntries(operations.map(({ operationId }) => [operationId, answer]));

describe('every operation', () => {
  it('is there', () => {
    expect(operations.length).toBeGreaterThanOrEqual(21);
  });

  const expired = { exp: Math.floor(Date.now() / 1_000) - 60 };
  it.each([
    ['without a token', () => undefined],
    [
      'with a token of another secret',
      () => token({ alg: 'HS256', secret: 'x'.repeat(40) }, { sub: OWNER, aud: 'onrush' }),
    ],
    ['with an expired token', () => of(OWNER, expired)],
    ['with a token for another audience', () => of(OWNER, { aud: 'elsewhere' })],
    ['with a token that is valid for ever', () => of(OWNER, { exp: undefined })],
    ['with a token of nobody', () => of('')],
    ['with a token that is not valid yet', () => of(OWNER, { nbf: Math.floor(Date.now() / 1_000) + 600 })],
    ['with an unsigned token', () => unsigned({ sub: OWNER, aud: 'onrush' })],
    ['with a token whose claims were changed', () => of('own-2').replace(/\.[^.]+\./, `.${of(OWNER).split('.')[1]}.`)],
    ['with what is no token', () => 'open.sesame'],
  ])('refuses %s, and does nothing', async (_what, by) => {
    const before = await footprint();
    expect(await answers(by())).toEqual(all('401 A401'));
    expect(await footprint()).toEqual(before);
  });

  it('refuses another user’s token, and does nothing, but where nobody’s things are asked for', async () => {
    const before = await footprint();
    const expected = {
      ...all('403 COMMON403'),
      createCoupon: '403 A403',
      ...Object.fromEntries(FOR_ANYBODY.map((name) => [name, '200'])),
    };
    expect(await answers(of('own-2'))).toEqual(expected);
    // Administration is no key to others' wallets.
    const created = { createCoupon: '201' };
    expect(await answers(ADMIN)).toEqual({ ...expected, ...created });
    const after = (await footprint()) as unknown[];
    expect(after.slice(0, -1)).toEqual((before as unknown[]).slice(0, -1));
  });

  it('takes the user’s own', async () => {
    const seen = await answers(of(OWNER));
    expect(seen.createCoupon).toBe('403 A403');
    // In the order of the document: the cart is empty when it comes to the order.
    const done = Object.entries(seen).filter(([operation]) => !['createCoupon', 'placeOrder'].includes(operation));
    expect(done.filter(([, answer]) => !/^20[0-4]$/.test(answer))).toEqual([]);
    expect(seen.placeOrder).toBe('400 COMMON001');
  });
});

describe('a refused token', () => {
  it('is told why, as RFC 6750 has it', async () => {
    const path = `/api/users/${OWNER}/balance`;
    const challenge = async (headers?: Record<string, string>) => {
      const answer = await api('GET', path, { url, ...(headers ? { headers } : {}) });
      return [answer.headers.get('www-authenticate'), answer.body.details.reason];
    };
    expect(await challenge()).toEqual(['Bearer', 'no bearer token']);
    expect(await challenge({ authorization: 'Basic b3duLTE6' })).toEqual([
      'Bearer error="invalid_token"',
      'no bearer token',
    ]);
    const expired = of(OWNER, { exp: Math.floor(Date.now() / 1_000) - 60 });
    expect(await challenge(bearer(expired))).toEqual(['Bearer error="invalid_token"', 'the token has expired']);
    const { headers } = await call('POST', '/api/coupons', of(OWNER), couponBody);
    expect(headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="onrush:admin"');
  });

  it('is refused although it was verified before, once it has expired', async () => {
    const short = of(OWNER, { exp: Math.floor(Date.now() / 1_000) + 1 });
    const statuses: number[] = [];
    // Five seconds of difference between clocks are allowed.
    for (const until = Date.now() + 15_000; Date.now() < until && statuses.at(-1) !== 401; ) {
      statuses.push((await call('GET', '/api/products', short)).status);
      await new Promise((wake) => setTimeout(wake, 100));
    }
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 401]);
  });
});
