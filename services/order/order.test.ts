import { randomUUID } from 'node:crypto';
import { type Answer, eventually, stack } from '../../loadtests/test/stack.ts';
import { brokenLinks } from '../../loadtests/test/wallet-chain.ts';

const { api, db, urls, value, redis, names } = stack();
const u = (n: number) => `test-user-${n}`;
const order = (
  user: number | string,
  options: { couponId?: string; key?: string; url?: string } = {},
): Promise<Answer> =>
  api('POST', '/api/orders', {
    body: {
      userId: typeof user === 'number' ? u(user) : user,
      ...(options.couponId ? { couponId: options.couponId } : {}),
    },
    ...(options.url ? { url: options.url } : {}),
    ...(options.key ? { headers: { 'idempotency-key': options.key } } : {}),
  });
const balanceOf = (user: number) => value('SELECT balance FROM users WHERE id = ?', [u(user)]);
const stockOf = (product: string) => value('SELECT quantity FROM stocks WHERE product_id = ?', [product]);
const ordersOf = (user: number) => value('SELECT COUNT(*) FROM orders WHERE user_id = ?', [u(user)]);

let products = 0;
async function newProduct(price: number, quantity: number): Promise<string> {
  const id = `order-test-${++products}`;
  await db.query('INSERT INTO products (id, name, category, price) VALUES (?, ?, ?, ?)', [
    id,
    `Product ${id}`,
    'test',
    price,
  ]);
  await db.query('INSERT INTO stocks (product_id, quantity) VALUES (?, ?)', [id, quantity]);
  return id;
}
/** Replaces what lies in a user's cart. */
async function fillCart(user: number, lines: [product: string, quantity: number][]): Promise<void> {
  await db.query('DELETE FROM cart_items WHERE cart_id = ?', [`test-cart-${user}`]);
  if (lines.length > 0)
    await db.query('INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES ?', [
      lines.map(([product, quantity]) => [`ci-${user}-${product}`, `test-cart-${user}`, product, quantity]),
    ]);
}
async function giveCoupon(user: number, couponId: string, status = 'AVAILABLE'): Promise<void> {
  const now = new Date();
  await db.query(
    `INSERT INTO user_coupons (user_id, coupon_id, status, stream_id, topic_partition, topic_offset, accepted_at, issued_at, used_at)
     VALUES (?, ?, ?, '0-1', 0, 0, ?, ?, ?)`,
    [u(user), couponId, status, now, now, status === 'USED' ? now : null],
  );
  await db.query('UPDATE coupons SET issued_quantity = issued_quantity + 1 WHERE id = ?', [couponId]);
}
let coupons = 0;
async function newCoupon(terms: {
  type?: string;
  value?: number;
  min?: number;
  max?: number | null;
  from?: number;
  until?: number;
}) {
  const id = `order-test-coupon-${++coupons}`;
  await db.query(
    `INSERT INTO coupons (id, name, discount_type, discount_value, min_order_amount, max_discount_amount, total_quantity, generation, valid_from, valid_until)
     VALUES (?, ?, ?, ?, ?, ?, 1000, 'gen-x', ?, ?)`,
    [
      id,
      id,
      terms.type ?? 'FIXED',
      terms.value ?? 1_000,
      terms.min ?? 0,
      terms.max ?? null,
      new Date(Date.now() + (terms.from ?? -1) * 3_600_000),
      new Date(Date.now() + (terms.until ?? 1) * 3_600_000),
    ],
  );
  return id;
}

describe('POST /api/orders', () => {
  it('orders everything in the cart, pays it, takes the stock and empties the cart', async () => {
    const [a, b] = [await newProduct(10_000, 5), await newProduct(2_500, 5)];
    await fillCart(300, [
      [a, 2],
      [b, 1],
    ]);
    const answer = await order(300);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      orderId: expect.stringMatching(/^order-[\da-f]{32}$/),
      items: [
        { productId: a, productName: `Product ${a}`, price: 10_000, quantity: 2, subtotal: 20_000 },
        { productId: b, productName: `Product ${b}`, price: 2_500, quantity: 1, subtotal: 2_500 },
      ],
      totalAmount: 22_500,
      discountAmount: 0,
      finalAmount: 22_500,
      createdAt: expect.any(String),
    });
    expect(await balanceOf(300)).toBe(1_000_000 - 22_500);
    expect([await stockOf(a), await stockOf(b)]).toEqual([3, 4]);
    expect(await value('SELECT COUNT(*) FROM cart_items WHERE cart_id = ?', ['test-cart-300'])).toBe(0);
    expect(
      await value('SELECT COUNT(*) FROM payments WHERE order_id = ? AND amount = 22500', [answer.body.orderId]),
    ).toBe(1);
    expect(await value('SELECT COUNT(*) FROM outbox_events WHERE aggregate_id = ?', [answer.body.orderId])).toBe(1);
    expect(await order(300)).toMatchObject({ status: 400, body: { code: 'COMMON001' } });
  });

  it('refuses each rule by its code and changes nothing', async () => {
    const dear = await newProduct(1_000_001, 5);
    const scarce = await newProduct(10, 1);
    const before = await ordersOf(301);
    await fillCart(301, [[dear, 1]]);
    expect(await order(301)).toMatchObject({
      status: 400,
      body: { code: 'PAY001', details: { balance: 1_000_000, amount: 1_000_001 } },
    });
    await fillCart(301, [[scarce, 2]]);
    expect(await order(301)).toMatchObject({
      status: 400,
      body: { code: 'P002', details: { productId: scarce, available: 1, wanted: 2 } },
    });
    await fillCart(301, [['no-such-product', 1]]);
    expect(await order(301)).toMatchObject({ status: 400, body: { code: 'P001' } });
    expect(await order('nobody')).toMatchObject({ status: 404, body: { code: 'U001' } });
    expect(await ordersOf(301)).toBe(before);
    expect(await balanceOf(301)).toBe(1_000_000);
    expect(await stockOf(scarce)).toBe(1);
  });

  it.each([
    [{}],
    [{ userId: 1 }],
    [{ userId: '' }],
    [{ userId: 'a', couponId: null }],
    [{ userId: 'a', extra: 1 }],
    [{ userId: 'x'.repeat(65) }],
  ])('refuses the body %j', async (body) => {
    const answer = await api('POST', '/api/orders', { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'COMMON400', details: { field: expect.any(String) } } });
  });

  it('applies a fixed and a percentage coupon and marks them used', async () => {
    const product = await newProduct(9_999, 100);
    const fixed = await newCoupon({ value: 1_000 });
    const percent = await newCoupon({ type: 'PERCENT', value: 33, max: 3_000 });
    const huge = await newCoupon({ value: 50_000 });
    for (const [user, coupon, discount] of [
      [302, fixed, 1_000],
      [303, percent, 3_000],
      [304, huge, 9_999],
    ] as const) {
      await fillCart(user, [[product, 1]]);
      await giveCoupon(user, coupon);
      const answer = await order(user, { couponId: coupon });
      expect(answer.body).toMatchObject({
        totalAmount: 9_999,
        discountAmount: discount,
        finalAmount: 9_999 - discount,
      });
      expect(
        await value("SELECT COUNT(*) FROM user_coupons WHERE user_id = ? AND status = 'USED' AND used_at IS NOT NULL", [
          u(user),
        ]),
      ).toBe(1);
      await fillCart(user, [[product, 1]]);
      expect(await order(user, { couponId: coupon })).toMatchObject({ status: 400, body: { code: 'C003' } });
    }
  });

  it('refuses coupons that are not the user’s, expired, early, or below their minimum', async () => {
    const product = await newProduct(5_000, 100);
    await fillCart(305, [[product, 1]]);
    const expired = await newCoupon({ from: -2, until: -1 });
    const early = await newCoupon({ from: 1, until: 2 });
    const minimum = await newCoupon({ min: 5_001 });
    for (const coupon of [expired, early, minimum]) await giveCoupon(305, coupon);
    expect(await order(305, { couponId: 'test-coupon-1' })).toMatchObject({ status: 400, body: { code: 'C003' } });
    expect(await order(305, { couponId: expired })).toMatchObject({ status: 400, body: { code: 'C002' } });
    expect(await order(305, { couponId: early })).toMatchObject({ status: 400, body: { code: 'C002' } });
    expect(await order(305, { couponId: minimum })).toMatchObject({ status: 400, body: { code: 'C004' } });
    expect(await ordersOf(305)).toBe(0);
  });

  it('replays a key with the same answer, and refuses it with another coupon', async () => {
    const product = await newProduct(1_000, 100);
    await fillCart(306, [[product, 3]]);
    const first = await order(306, { key: 'o-1' });
    const again = await order(306, { key: 'o-1', url: urls[1] as string });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await order(306, { key: 'o-1', couponId: 'c' })).toMatchObject({ status: 422, body: { code: 'I422' } });
    expect(await ordersOf(306)).toBe(1);
  });

  it('replays a key even while another order of the user is running', async () => {
    const product = await newProduct(1_000, 100);
    await fillCart(307, [[product, 1]]);
    const first = await order(307, { key: 'done' });
    await redis.set(names.orderLock(u(307)), 'somebody', 'PX', 5_000);
    expect((await order(307, { key: 'done' })).body).toEqual(first.body);
    expect(await order(307, { key: 'new' })).toMatchObject({ status: 409, body: { code: 'O409' } });
    expect(await order(307)).toMatchObject({ status: 409, body: { code: 'O409' } });
    await redis.del(names.orderLock(u(307)));
  });

  it('sells exactly 10 of 10 to 100 users at once through two processes', async () => {
    const product = await newProduct(10, 10);
    const users = Array.from({ length: 100 }, (_, n) => 310 + n);
    for (const user of users) await fillCart(user, [[product, 1]]);
    const answers = await Promise.all(users.map((user, n) => order(user, { url: urls[n % urls.length] as string })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ body }) => body.code === 'P002')).toHaveLength(90);
    expect(await stockOf(product)).toBe(0);
    expect(await value('SELECT SUM(quantity) FROM order_items WHERE product_id = ?', [product])).toBe(10);
  });

  it('sells 50 times 2 of 100 at once and leaves nothing', async () => {
    const product = await newProduct(10, 100);
    const users = Array.from({ length: 50 }, (_, n) => 410 + n);
    for (const user of users) await fillCart(user, [[product, 2]]);
    const answers = await Promise.all(users.map((user, n) => order(user, { url: urls[n % urls.length] as string })));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(await stockOf(product)).toBe(0);
  });

  it('fails the orders of a product whose stock cannot be read, and no others, though it was ordered just before', async () => {
    const [broken, sound] = [await newProduct(10, 100), await newProduct(10, 100)];
    const url = urls[0] as string;
    const ofBroken = async (user: number) => {
      await fillCart(user, [[broken, 1]]);
      return (await order(user, { url })).status;
    };
    const ofSound = async (user: number) => {
      await fillCart(user, [[sound, 1]]);
      return (await order(user, { url })).status;
    };
    expect(await ofBroken(540)).toBe(200);
    await db.query('UPDATE stocks SET quantity = 9223372036854775807 WHERE product_id = ?', [broken]);
    expect(await ofSound(541)).not.toBe(200);
    expect(await ofSound(541)).toBe(200);
    expect(await ofBroken(540)).toBe(500);
    expect(await ofSound(542)).toBe(200);
    await db.query('UPDATE stocks SET quantity = 99 WHERE product_id = ?', [broken]);
    expect(await ofBroken(540)).toBe(200);
  });

  it('takes crossed carts without a deadlock becoming an error', async () => {
    const [a, b, c] = [await newProduct(10, 10_000), await newProduct(10, 10_000), await newProduct(10, 10_000)];
    const users = Array.from({ length: 60 }, (_, n) => 460 + n);
    for (let round = 0; round < 3; round++) {
      for (const [n, user] of users.entries()) {
        const lines: [string, number][] = [
          [a, 1],
          [b, 1],
          [c, 1],
        ];
        await fillCart(user, n % 2 ? lines : lines.reverse());
      }
      const answers = await Promise.all(users.map((user, n) => order(user, { url: urls[n % urls.length] as string })));
      expect(answers.map(({ status }) => status)).toEqual(Array(60).fill(200));
    }
    expect([await stockOf(a), await stockOf(b), await stockOf(c)]).toEqual([9_820, 9_820, 9_820]);
  });

  it('loses nothing when one user is charged and orders at once', async () => {
    const product = await newProduct(100, 10_000);
    let orders = 0;
    for (let round = 0; round < 10; round++) {
      await fillCart(520, [[product, 1]]);
      const answers = await Promise.all([
        order(520, { url: urls[round % urls.length] as string }),
        ...Array.from({ length: 5 }, (_, n) =>
          api('POST', `/api/users/${u(520)}/balance/charge`, {
            body: { amount: 7 },
            url: urls[n % urls.length] as string,
          }),
        ),
      ]);
      expect(answers.slice(1).every(({ status }) => status === 200)).toBe(true);
      orders += answers[0]?.status === 200 ? 1 : 0;
    }
    expect(orders).toBe(10);
    expect(await balanceOf(520)).toBe(1_000_000 + 10 * 5 * 7 - 10 * 100);
    expect(await brokenLinks(u(520))).toBe(0);
  });

  it('takes the same key 50 times at once through two processes as one order and gives 50 equal answers', async () => {
    const product = await newProduct(10, 1_000);
    await fillCart(521, [[product, 2]]);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => order(521, { key, url: urls[n % urls.length] as string })),
    );
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(await ordersOf(521)).toBe(1);
    expect(await stockOf(product)).toBe(998);
  });

  it('lets a repeat of the running order wait for its answer, and tells another order O409', async () => {
    const product = await newProduct(10, 1_000);
    await fillCart(526, [[product, 1]]);
    const holder = await db.getConnection();
    await holder.query('START TRANSACTION');
    await holder.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [u(526)]);
    const first = order(526, { key: 'running' });
    await eventually(
      () => redis.exists(names.orderLock(u(526))),
      (held) => held === 1,
    );
    const repeat = order(526, { key: 'running', url: urls[1] as string });
    expect(await order(526, { key: 'another', url: urls[1] as string })).toMatchObject({ status: 409 });
    await holder.query('COMMIT');
    holder.release();
    expect((await first).status).toBe(200);
    expect((await repeat).body).toEqual((await first).body);
    expect((await repeat).headers.get('idempotency-replayed')).toBe('true');
    expect(await ordersOf(526)).toBe(1);
  });

  it('refuses stock that was taken after it was read', async () => {
    const product = await newProduct(10, 3);
    await fillCart(527, [[product, 2]]);
    const holder = await db.getConnection();
    await holder.query('START TRANSACTION');
    await holder.query('UPDATE stocks SET quantity = 1 WHERE product_id = ?', [product]);
    const waiting = order(527);
    await eventually(
      () =>
        value(
          "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE stocks % SET quantity = quantity%'",
        ),
      (sessions) => sessions > 0,
    );
    await holder.query('COMMIT');
    holder.release();
    expect(await waiting).toMatchObject({ status: 400, body: { code: 'P002', details: { available: 1, wanted: 2 } } });
    expect(await stockOf(product)).toBe(1);
    expect(await ordersOf(527)).toBe(0);
    expect(await balanceOf(527)).toBe(1_000_000);
  });

  it('uses one coupon once however many orders name it at once', async () => {
    const product = await newProduct(10_000, 1_000);
    const coupon = await newCoupon({ value: 1_000 });
    await giveCoupon(522, coupon);
    await fillCart(522, [[product, 1]]);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => order(522, { couponId: coupon, url: urls[n % urls.length] as string })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(
      answers
        .filter(({ status }) => status !== 200)
        .every(({ body }) => ['O409', 'COMMON001', 'C003'].includes(body.code)),
    ).toBe(true);
    expect(await ordersOf(522)).toBe(1);
  });

  it('goes on without Redis’s lock when the lock is lost: MySQL alone keeps the order single', async () => {
    const product = await newProduct(10, 1_000);
    await fillCart(523, [[product, 1]]);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        await redis.del(names.orderLock(u(523)), names.orderKeyLock(u(523), key));
        return order(523, { key, url: urls[n % urls.length] as string });
      }),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await ordersOf(523)).toBe(1);
  });

  it('publishes each order once into the ranking', async () => {
    const product = await newProduct(1, 1_000);
    await fillCart(524, [[product, 3]]);
    await order(524);
    await fillCart(525, [[product, 4]]);
    await order(525);
    const day = names.rankingDay(new Date().toISOString().slice(0, 10));
    const sold = await eventually(
      () => redis.zscore(day, product),
      (score) => Number(score) >= 7,
    );
    expect(Number(sold)).toBe(7);
    const popular = await api('GET', '/api/products/popular?days=1&limit=100');
    expect(popular.body).toContainEqual(expect.objectContaining({ productId: product, sold: 7 }));
    expect(await value("SELECT COUNT(*) FROM outbox_events WHERE status = 'FAILED'")).toBe(0);
  });
});
