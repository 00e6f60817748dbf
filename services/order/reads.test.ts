import { stack } from '../../loadtests/test/stack.ts';

const { api, urls } = stack();

const LONG = 'x'.repeat(65);
const USER = 'test-user-31';

describe('order reads', () => {
  /** The answers to the orders of this user, the last one first. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies as they were answered
  const placed: any[] = [];

  beforeAll(async () => {
    for (let i = 0; i < 5; i++) {
      if (i > 0)
        for (const product of [3, 1])
          await api('POST', '/api/cart/items', {
            body: { userId: USER, productId: `test-product-${product}`, quantity: i },
          });
      const at = urls[i % urls.length] as string;
      const { status, body } = await api('POST', '/api/orders', { body: { userId: USER }, url: at });
      expect(status).toBe(200);
      placed.unshift(body);
    }
  });

  test('an order reads as it was answered, with its user, coupon and status', async () => {
    for (const order of placed) {
      const { status, body } = await api('GET', `/api/orders/${order.orderId}`);
      expect(status).toBe(200);
      expect(body).toEqual({ ...order, items: expect.any(Array), userId: USER, couponId: null, status: 'PAID' });
      const byProduct = (a: { productId: string }, b: { productId: string }) => (a.productId < b.productId ? -1 : 1);
      expect(body.items.toSorted(byProduct)).toEqual(order.items.toSorted(byProduct));
    }
  });

  test('lists all of a user’s, newest first, each with its items', async () => {
    const { status, body } = await api('GET', `/api/orders?userId=${USER}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ page: 1, limit: 20, total: 5 });
    const alone = await Promise.all(placed.map(({ orderId }) => api('GET', `/api/orders/${orderId}`)));
    expect(body.items).toEqual(alone.map((answer) => answer.body));
  });

  test('by page', async () => {
    const pages = await Promise.all(
      [1, 2, 3, 4].map((page) => api('GET', `/api/orders?userId=${USER}&limit=2&page=${page}`)),
    );
    expect(pages.map(({ body }) => body.total)).toEqual([5, 5, 5, 5]);
    expect(pages.map(({ body }) => body.items.length)).toEqual([2, 2, 1, 0]);
    expect(pages.flatMap(({ body }) => body.items.map(({ orderId }: { orderId: string }) => orderId))).toEqual(
      placed.map(({ orderId }) => orderId),
    );
  });

  test('by status', async () => {
    const { body } = await api('GET', `/api/orders?userId=${USER}&status=PAID`);
    expect(body.total).toBe(5);
  });

  test.each(['test-user-32', 'nobody'])('%s has none', async (user) => {
    const { status, body } = await api('GET', `/api/orders?userId=${user}`);
    expect([status, body]).toEqual([200, { items: [], page: 1, limit: 20, total: 0 }]);
  });

  test.each([
    ['', 'userId'],
    [`userId=${LONG}`, 'userId'],
    ['userId=a%20b', 'userId'],
    [`userId=${USER}&status=OPEN`, 'status'],
    [`userId=${USER}&page=0`, 'page'],
    [`userId=${USER}&page=100001`, 'page'],
    [`userId=${USER}&limit=0`, 'limit'],
    [`userId=${USER}&limit=101`, 'limit'],
    [`userId=${USER}&limit=ten`, 'limit'],
    [`userId=${USER}&sort=newest`, 'sort'],
  ])('?%s is refused', async (query, field) => {
    const { status, body } = await api('GET', `/api/orders?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
  });

  test('an unknown order is O404', async () => {
    const { status, body } = await api('GET', '/api/orders/nothing');
    expect([status, body.code]).toEqual([404, 'O404']);
  });

  test.each([
    [LONG, 'orderId'],
    ['a%20b', 'orderId'],
  ])('the id %s is refused', async (id, field) => {
    const { status, body } = await api('GET', `/api/orders/${id}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
  });
});
