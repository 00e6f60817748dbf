import { pino } from 'pino';
import { stack } from '../../loadtests/test/stack.ts';
import { openRedis } from '../core/redis.ts';
import { popularProducts } from './popular.ts';

const { api, db, redis, names } = stack();

const LONG = 'x'.repeat(65);
/** Above whatever the other tests' orders sell. */
const MANY = 1_000_000_000;
const dayKey = (back: number) =>
  names.rankingDay(new Date(Date.now() - back * 24 * 3600 * 1000).toISOString().slice(0, 10));

/** Own products in a category of their own: [id, name, price, created]. Two are equal in all but the id. */
const PRODUCTS = [
  ['catalog-1', 'Kettle', 300, '2026-01-01 00:00:00.000'],
  ['catalog-2', 'Anvil', 100, '2026-01-02 00:00:00.000'],
  ['catalog-3', 'Lamp', 200, '2026-01-03 00:00:00.000'],
  ['catalog-4', 'Bowl', 200, '2026-01-04 00:00:00.000'],
  ['catalog-5', 'Bowl', 200, '2026-01-04 00:00:00.000'],
] as const;

describe('catalog', () => {
  beforeAll(async () => {
    for (const [id, name, price, created] of PRODUCTS)
      await db.query(
        "INSERT INTO products (id, name, category, price, created_at) VALUES (?, ?, 'catalog-test', ?, ?)",
        [id, name, price, created],
      );
  });
  afterAll(async () => {
    await db.query("DELETE FROM products WHERE category = 'catalog-test'");
  });

  describe('GET /api/products', () => {
    const ids = async (query: string): Promise<string[]> => {
      const { status, body } = await api('GET', `/api/products?category=catalog-test&${query}`);
      expect(status).toBe(200);
      return body.items.map(({ productId }: { productId: string }) => productId);
    };

    test('lists the seeded products, 20 to a page unless told', async () => {
      const { status, headers, body } = await api('GET', '/api/products');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(body).toMatchObject({ page: 1, limit: 20, total: 15 });
      expect(body.items).toContainEqual({
        productId: 'test-product-1',
        name: 'Product 1',
        category: 'home',
        price: 10_000,
      });
    });

    test.each([
      ['newest first by default', '', [5, 4, 3, 2, 1]],
      ['newest first', 'sort=newest', [5, 4, 3, 2, 1]],
      ['cheapest first', 'sort=priceAsc', [2, 3, 4, 5, 1]],
      ['dearest first', 'sort=priceDesc', [1, 3, 4, 5, 2]],
      ['by name', 'sort=name', [2, 4, 5, 1, 3]],
    ])('%s', async (_what, query, order) => {
      expect(await ids(query)).toEqual(order.map((n) => `catalog-${n}`));
    });

    test('pages hold every product once, and the last ones what is left', async () => {
      const pages = await Promise.all([1, 2, 3, 4].map((page) => ids(`sort=priceAsc&limit=2&page=${page}`)));
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 1, 0]);
      expect(new Set(pages.flat()).size).toBe(5);
    });

    test('a category that no product has is empty', async () => {
      const { status, body } = await api('GET', '/api/products?category=none');
      expect([status, body]).toEqual([200, { items: [], page: 1, limit: 20, total: 0 }]);
    });

    test.each([
      ['page=0', 'page'],
      ['page=-1', 'page'],
      ['page=1.5', 'page'],
      ['page=two', 'page'],
      ['page=', 'page'],
      ['page=100001', 'page'],
      ['page=1&page=2', 'page'],
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['sort=random', 'sort'],
      ['category=', 'category'],
      [`category=${LONG}`, 'category'],
      ['colour=red', 'colour'],
    ])('?%s is refused', async (query, field) => {
      const { status, body } = await api('GET', `/api/products?${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
    });
  });

  describe('GET /api/products/{productId} and its stock', () => {
    test('reads a product', async () => {
      const { status, body } = await api('GET', '/api/products/catalog-1');
      expect(status).toBe(200);
      expect(body).toEqual({ productId: 'catalog-1', name: 'Kettle', category: 'catalog-test', price: 300 });
    });

    test('reads the stock', async () => {
      const { status, body } = await api('GET', '/api/products/test-product-1/stock');
      expect(status).toBe(200);
      expect(body).toEqual({ productId: 'test-product-1', quantity: expect.any(Number) });
    });

    test.each(['', '/stock'])('an unknown product is P404 (%s)', async (rest) => {
      const { status, body } = await api('GET', `/api/products/nothing${rest}`);
      expect(status).toBe(404);
      expect(body).toEqual({
        code: 'P404',
        message: 'no such product',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
    });

    test.each([
      [LONG, 'productId'],
      ['a%20b', 'productId'],
      ['%C3%A9', 'productId'],
      ['%E0%A4%A', 'path'],
    ])('the id %s is refused', async (id, field) => {
      for (const rest of ['', '/stock']) {
        const { status, body } = await api('GET', `/api/products/${id}${rest}`);
        expect(status).toBe(400);
        expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
      }
    });

    test('an id is compared byte by byte', async () => {
      expect((await api('GET', '/api/products/CATALOG-1')).status).toBe(404);
    });
  });

  describe('GET /api/products/popular', () => {
    /** Days back, product, sold. */
    const SOLD: [number, string, number][] = [
      [0, 'catalog-1', MANY],
      [1, 'catalog-1', 5],
      [0, 'catalog-2', MANY],
      [2, 'catalog-3', MANY + 10],
      [0, 'catalog-4', MANY],
      [3, 'catalog-4', 100],
      [0, 'catalog-gone', MANY + 50],
    ];
    beforeAll(() => Promise.all(SOLD.map(([back, product, sold]) => redis.zadd(dayKey(back), sold, product))));
    afterAll(() => Promise.all(SOLD.map(([back, product]) => redis.zrem(dayKey(back), product))));

    const ranking = async (query: string): Promise<[string, number][]> => {
      const { status, body } = await api('GET', `/api/products/popular?${query}`);
      expect(status).toBe(200);
      return body.map(({ productId, sold }: { productId: string; sold: number }) => [productId, sold]);
    };

    test('three days, most sold first, equals by id, without what is no longer sold', async () => {
      expect((await ranking('')).slice(0, 4)).toEqual([
        ['catalog-3', MANY + 10],
        ['catalog-1', MANY + 5],
        ['catalog-2', MANY],
        ['catalog-4', MANY],
      ]);
    });

    test('a product that is gone costs nobody a place', async () => {
      expect(await ranking('limit=1')).toEqual([['catalog-3', MANY + 10]]);
      expect(await ranking('limit=2')).toHaveLength(2);
    });

    test('one day is today', async () => {
      expect((await ranking('days=1')).slice(0, 3)).toEqual([
        ['catalog-1', MANY],
        ['catalog-2', MANY],
        ['catalog-4', MANY],
      ]);
    });

    test('more days add up', async () => {
      expect(await ranking('days=4&limit=1')).toEqual([['catalog-4', MANY + 100]]);
      expect(await ranking('days=30&limit=1')).toEqual([['catalog-4', MANY + 100]]);
    });

    test('shows the product as the catalog does', async () => {
      const { body } = await api('GET', '/api/products/popular?days=1&limit=1');
      expect(body).toEqual([
        { productId: 'catalog-1', name: 'Kettle', category: 'catalog-test', price: 300, sold: MANY },
      ]);
    });

    test.each([
      ['days=0', 'days'],
      ['days=31', 'days'],
      ['days=x', 'days'],
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=1.5', 'limit'],
      ['page=1', 'page'],
    ])('?%s is refused', async (query, field) => {
      const { status, body } = await api('GET', `/api/products/popular?${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
    });

    test('is unavailable, not empty, while Redis is away', async () => {
      const nowhere = openRedis('redis://127.0.0.1:1', 'nowhere', pino({ level: 'silent' }));
      await nowhere.connect().catch(() => {});
      const asked = popularProducts({ models: {} as never, redis: nowhere, names }, { days: 3, limit: 5 }, Date.now());
      await expect(asked).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
      nowhere.disconnect();
    });
  });
});
