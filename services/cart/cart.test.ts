import { stack } from '../../loadtests/test/stack.ts';
import { toCartItem } from './item.ts';

const { api, db, urls, url, value } = stack();

const LONG = 'x'.repeat(65);
const add = (userId: string, productId: string, quantity: number, at = url) =>
  api('POST', '/api/cart/items', { body: { userId, productId, quantity }, url: at });
const read = (userId: string) => api('GET', `/api/cart?userId=${userId}`);
/** The user as one who never had a cart. */
const withoutCart = async (userId: string) => {
  await db.query('DELETE i FROM cart_items i JOIN carts c ON c.id = i.cart_id WHERE c.user_id = ?', [userId]);
  await db.query('DELETE FROM carts WHERE user_id = ?', [userId]);
};
const itemOf = async (userId: string, productId: string, quantity = 1): Promise<string> => {
  const { status, body } = await add(userId, productId, quantity);
  expect(status).toBe(201);
  return body.itemId;
};

describe('cart', () => {
  describe('GET /api/cart', () => {
    test('shows a seeded cart', async () => {
      const { status, body } = await read('test-user-1');
      expect(status).toBe(200);
      expect(body).toMatchObject({ userId: 'test-user-1', totalAmount: 30_000 });
      expect(body.items).toHaveLength(3);
      expect(body.items[0]).toEqual({
        itemId: 'test-cart-item-1-1',
        productId: expect.stringMatching(/^test-product-\d+$/),
        productName: expect.stringMatching(/^Product \d+$/),
        price: 10_000,
        quantity: 1,
        subtotal: 10_000,
      });
    });

    test('is empty for a user who never had one', async () => {
      await withoutCart('test-user-2');
      const { status, body } = await read('test-user-2');
      expect([status, body]).toEqual([200, { userId: 'test-user-2', items: [], totalAmount: 0 }]);
    });

    test('shows items in the order in which they came', async () => {
      await withoutCart('test-user-3');
      for (const product of [7, 2, 9]) await itemOf('test-user-3', `test-product-${product}`, product);
      const { body } = await read('test-user-3');
      expect(body.items.map((item: { quantity: number }) => item.quantity)).toEqual([7, 2, 9]);
      expect(body.totalAmount).toBe(180_000);
    });

    test('an unknown user is U001', async () => {
      const { status, body } = await read('nobody');
      expect([status, body.code]).toEqual([404, 'U001']);
    });

    test.each([
      ['', 'userId'],
      ['userId=', 'userId'],
      [`userId=${LONG}`, 'userId'],
      ['userId=a%27b', 'userId'],
      ['userId=a&userId=b', 'userId'],
      ['userId=test-user-1&page=1', 'page'],
    ])('?%s is refused', async (query, field) => {
      const { status, body } = await api('GET', `/api/cart?${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
    });
  });

  describe('POST /api/cart/items', () => {
    test('creates the cart and puts the product in', async () => {
      await withoutCart('test-user-4');
      const { status, body } = await add('test-user-4', 'test-product-3', 2);
      expect(status).toBe(201);
      expect(body).toEqual({
        itemId: expect.stringMatching(/^item-[0-9a-f]{32}$/),
        productId: 'test-product-3',
        productName: 'Product 3',
        price: 10_000,
        quantity: 2,
        subtotal: 20_000,
      });
      expect((await read('test-user-4')).body.items).toEqual([body]);
    });

    test('a product already there adds to its quantity and stays the same item', async () => {
      await withoutCart('test-user-4');
      const first = await add('test-user-4', 'test-product-3', 2);
      const second = await add('test-user-4', 'test-product-3', 3);
      expect(second.status).toBe(201);
      expect(second.body).toEqual({ ...first.body, quantity: 5, subtotal: 50_000 });
    });

    test('10,000 of a product are the most; one more is refused and changes nothing', async () => {
      await withoutCart('test-user-5');
      await itemOf('test-user-5', 'test-product-1', 9_999);
      expect((await add('test-user-5', 'test-product-1', 1)).body.quantity).toBe(10_000);
      const { status, body } = await add('test-user-5', 'test-product-1', 1);
      expect(status).toBe(400);
      expect(body).toMatchObject({
        code: 'COMMON400',
        details: { field: 'quantity', problem: expect.stringContaining('10,000') },
      });
      expect((await read('test-user-5')).body.items).toMatchObject([{ quantity: 10_000 }]);
    });

    test('an unknown user is U001, whatever else is wrong with the order of things', async () => {
      for (const product of ['test-product-1', 'nothing']) {
        const { status, body } = await add('nobody', product, 1);
        expect([status, body.code]).toEqual([404, 'U001']);
      }
    });

    test('an unknown product is P404 and leaves no cart behind', async () => {
      await withoutCart('test-user-6');
      const { status, body } = await add('test-user-6', 'nothing', 1);
      expect([status, body.code]).toEqual([404, 'P404']);
      expect(await value("SELECT COUNT(*) FROM carts WHERE user_id = 'test-user-6'")).toBe(0);
    });

    const good = { userId: 'test-user-7', productId: 'test-product-1', quantity: 1 };
    test.each<[string, unknown, string]>([
      ['no quantity', { ...good, quantity: undefined }, 'quantity'],
      ['quantity 0', { ...good, quantity: 0 }, 'quantity'],
      ['a negative quantity', { ...good, quantity: -1 }, 'quantity'],
      ['half of one', { ...good, quantity: 0.5 }, 'quantity'],
      ['10,001', { ...good, quantity: 10_001 }, 'quantity'],
      ['a quantity as text', { ...good, quantity: '1' }, 'quantity'],
      ['a quantity of null', { ...good, quantity: null }, 'quantity'],
      [
        'a hair more than one',
        '{"userId":"test-user-7","productId":"test-product-1","quantity":1.00000000000000000001}',
        'quantity',
      ],
      ['no user', { ...good, userId: undefined }, 'userId'],
      ['a user id of 65 characters', { ...good, userId: LONG }, 'userId'],
      ['an empty user id', { ...good, userId: '' }, 'userId'],
      ['a user id as number', { ...good, userId: 7 }, 'userId'],
      ['no product', { ...good, productId: undefined }, 'productId'],
      ['a product id of 65 characters', { ...good, productId: LONG }, 'productId'],
      ['a product id beyond ASCII', { ...good, productId: 'é' }, 'productId'],
      ['a field that is not known', { ...good, price: 1 }, 'price'],
      ['a list', [good], 'body'],
      ['text', '"text"', 'body'],
      ['broken JSON', '{"userId":', 'body'],
    ])('%s is refused', async (_what, body, field) => {
      const answer = await api('POST', '/api/cart/items', { body });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 'COMMON400', details: { field } });
    });

    test('a body of 64 characters in each id is still read', async () => {
      const { status, body } = await add('u'.repeat(64), 'p'.repeat(64), 1);
      expect([status, body.code]).toEqual([404, 'U001']);
    });

    test('a body over 16 KiB is 413, one that is no JSON by its type 415', async () => {
      const large = await api('POST', '/api/cart/items', { body: { ...good, productId: 'x'.repeat(17_000) } });
      expect([large.status, large.body.code]).toEqual([413, 'COMMON413']);
      const headers = { 'content-type': 'text/plain' };
      const plain = await api('POST', '/api/cart/items', { body: good, headers });
      expect([plain.status, plain.body.code]).toEqual([415, 'COMMON415']);
    });

    test('a query is refused', async () => {
      const { status, body } = await api('POST', '/api/cart/items?quantity=2', { body: good });
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'COMMON400', details: { field: 'quantity' } });
    });
  });

  describe('PATCH and DELETE /api/cart/items/{itemId}', () => {
    const change = (itemId: string, query: string, body: unknown) =>
      api('PATCH', `/api/cart/items/${itemId}${query}`, { body });
    const remove = (itemId: string, query: string) => api('DELETE', `/api/cart/items/${itemId}${query}`);

    test('sets the quantity, also to what it was', async () => {
      await withoutCart('test-user-8');
      const item = await itemOf('test-user-8', 'test-product-1', 5);
      for (const quantity of [2, 2, 10_000]) {
        const { status, body } = await change(item, '?userId=test-user-8', { quantity });
        expect(status).toBe(200);
        expect(body).toEqual({
          itemId: item,
          productId: 'test-product-1',
          productName: 'Product 1',
          price: 10_000,
          quantity,
          subtotal: quantity * 10_000,
        });
        expect((await read('test-user-8')).body.items).toEqual([body]);
      }
    });

    test('takes an item out; a second time it is not there', async () => {
      await withoutCart('test-user-9');
      const item = await itemOf('test-user-9', 'test-product-1');
      const kept = await itemOf('test-user-9', 'test-product-2');
      const { status, body } = await remove(item, '?userId=test-user-9');
      expect([status, body]).toEqual([204, undefined]);
      expect((await read('test-user-9')).body.items).toMatchObject([{ itemId: kept }]);
      const again = await remove(item, '?userId=test-user-9');
      expect([again.status, again.body.code]).toEqual([404, 'COMMON404']);
      const changed = await change(item, '?userId=test-user-9', { quantity: 1 });
      expect([changed.status, changed.body.code]).toEqual([404, 'COMMON404']);
    });

    test('the item of another user is 403 and stays as it is, for users with a cart, without one and unknown ones', async () => {
      await withoutCart('test-user-10');
      await withoutCart('test-user-11');
      const item = await itemOf('test-user-10', 'test-product-1', 3);
      for (const other of ['test-user-12', 'test-user-11', 'nobody']) {
        const changed = await change(item, `?userId=${other}`, { quantity: 1 });
        expect([changed.status, changed.body.code]).toEqual([403, 'COMMON403']);
        const removed = await remove(item, `?userId=${other}`);
        expect([removed.status, removed.body.code]).toEqual([403, 'COMMON403']);
      }
      expect((await read('test-user-10')).body.items).toMatchObject([{ itemId: item, quantity: 3 }]);
    });

    test.each([
      ['?userId=test-user-8', { quantity: 0 }, 'quantity'],
      ['?userId=test-user-8', { quantity: 10_001 }, 'quantity'],
      ['?userId=test-user-8', { quantity: 1.5 }, 'quantity'],
      ['?userId=test-user-8', { quantity: '1' }, 'quantity'],
      ['?userId=test-user-8', {}, 'quantity'],
      ['?userId=test-user-8', { quantity: 1, productId: 'test-product-2' }, 'productId'],
      ['', { quantity: 1 }, 'userId'],
      [`?userId=${LONG}`, { quantity: 1 }, 'userId'],
      ['?userId=test-user-8&quantity=2', { quantity: 1 }, 'quantity'],
      ['?userId=test-user-8', '{"quantity":1', 'body'],
    ])('PATCH %s %j is refused', async (query, body, field) => {
      const answer = await change('any-item', query, body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 'COMMON400', details: { field } });
    });

    test.each([
      ['any-item', '', 'userId'],
      ['any-item', `?userId=${LONG}`, 'userId'],
      ['any-item', '?userId=test-user-8&all=1', 'all'],
      [LONG, '?userId=test-user-8', 'itemId'],
      ['a%2Fb', '?userId=test-user-8', 'itemId'],
    ])('DELETE %s%s is refused', async (item, query, field) => {
      const { status, body } = await remove(item, query);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
    });
  });

  describe('at once, through both processes', () => {
    const both = (i: number) => urls[i % urls.length] as string;

    test('50 adds for a user without a cart make one cart, and each counts once', async () => {
      await withoutCart('test-user-13');
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => add('test-user-13', 'test-product-1', 1, both(i))),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(201));
      const seen = answers.map(({ body }) => body.quantity).sort((a, b) => a - b);
      expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect(await value("SELECT COUNT(*) FROM carts WHERE user_id = 'test-user-13'")).toBe(1);
      expect((await read('test-user-13')).body.items).toMatchObject([{ quantity: 50 }]);
    });

    test('50 adds of ten products make ten items of five', async () => {
      await withoutCart('test-user-14');
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => add('test-user-14', `test-product-${(i % 10) + 1}`, 1, both(i >> 1))),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(201));
      const { items } = (await read('test-user-14')).body;
      expect(items.map((item: { quantity: number }) => item.quantity)).toEqual(Array(10).fill(5));
    });

    test('new carts of ten users do not hinder one another', async () => {
      const users = Array.from({ length: 10 }, (_, i) => `test-user-${15 + i}`);
      await Promise.all(users.map(withoutCart));
      const answers = await Promise.all(
        users.flatMap((user, i) => [0, 1, 2, 3].map((n) => add(user, `test-product-${n + 1}`, 1, both(i + n)))),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(201));
      for (const user of users) expect((await read(user)).body.items).toHaveLength(4);
    });

    test('of 20 adds that meet the cap with ten to go, ten succeed', async () => {
      await withoutCart('test-user-25');
      await itemOf('test-user-25', 'test-product-1', 9_990);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => add('test-user-25', 'test-product-1', 1, both(i))),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array(10).fill(201), ...Array(10).fill(400)]);
      expect((await read('test-user-25')).body.items).toMatchObject([{ quantity: 10_000 }]);
    });

    test('an item is taken out once, and adds, changes and removals end in an answer of the contract', async () => {
      await withoutCart('test-user-26');
      const item = await itemOf('test-user-26', 'test-product-1');
      const removals = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          api('DELETE', `/api/cart/items/${item}?userId=test-user-26`, { url: both(i) }),
        ),
      );
      expect(removals.map(({ status }) => status).sort()).toEqual([204, ...Array(9).fill(404)]);

      const second = await itemOf('test-user-26', 'test-product-1');
      const path = `/api/cart/items/${second}?userId=test-user-26`;
      const mixed = await Promise.all(
        Array.from({ length: 60 }, (_, i) => {
          const at = both(i >> 1);
          if (i % 3 === 0) return add('test-user-26', `test-product-${(i % 2) + 1}`, 1, at);
          if (i % 3 === 1) return api('PATCH', path, { body: { quantity: i }, url: at });
          return i > 30 ? api('DELETE', path, { url: at }) : read('test-user-26');
        }),
      );
      for (const { status } of mixed) expect([200, 201, 204, 404]).toContain(status);
      expect(mixed.filter(({ status }) => status === 204)).toHaveLength(1);
    });

    test('what is added while the cart is being ordered is in the order or in the cart, and never lost', async () => {
      const user = 'test-user-27';
      await withoutCart(user);
      await itemOf(user, 'test-product-1', 1);
      let inOrders = 0;
      let added = 1;
      await Promise.all([
        ...Array.from({ length: 30 }, async (_, i) => {
          const { status } = await add(user, `test-product-${(i % 2) + 1}`, 1, both(i));
          expect(status).toBe(201);
          added++;
        }),
        ...Array.from({ length: 6 }, async (_, i) => {
          await new Promise((wake) => setTimeout(wake, i * 4));
          const { status, body } = await api('POST', '/api/orders', { body: { userId: user }, url: both(i) });
          if (status !== 200) expect(['COMMON001', 'O409']).toContain(body.code);
          else for (const { quantity } of body.items) inOrders += quantity;
        }),
      ]);
      const left = (await read(user)).body.items.reduce(
        (sum: number, { quantity }: { quantity: number }) => sum + quantity,
        0,
      );
      expect(inOrders + left).toBe(added);
      expect(inOrders).toBeGreaterThan(0);
    });
  });
});

test('an item costs its product’s price of now, times its quantity', () => {
  const item = { id: 'i', cart_id: 'c', product_id: 'p', quantity: 10_000 };
  const product = { id: 'p', name: 'P', category: 'c', price: 1_000_000_000, created_at: new Date() };
  expect(toCartItem(item, product).subtotal).toBe(10_000_000_000_000);
});
