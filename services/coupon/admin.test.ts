import { eventually, stack } from '../../loadtests/test/stack.ts';

const { api, db, urls } = stack();

const LONG = 'x'.repeat(65);
const DAY = 24 * 3600 * 1000;
const at = (days: number) => new Date(Date.now() + days * DAY).toISOString();
const good = {
  name: 'Spring',
  discountType: 'FIXED',
  discountValue: 1_000,
  minOrderAmount: 5_000,
  totalQuantity: 100,
  validFrom: at(-1),
  validUntil: at(1),
};
const create = async (changes: Record<string, unknown> = {}): Promise<string> => {
  const { status, body } = await api('POST', '/api/coupons', { body: { ...good, ...changes } });
  expect(status).toBe(201);
  return body.couponId;
};
/** Asks for the coupon and waits until the user has it. */
const give = async (couponId: string, userId: string) => {
  const asked = await eventually(
    () => api('POST', `/api/coupons/${couponId}/issue`, { body: { userId } }),
    ({ status }) => status !== 503,
  );
  expect(asked.status).toBe(202);
  await eventually(
    () => api('GET', `/api/coupons/${couponId}/issues/${userId}`),
    ({ body }) => body.status === 'issued',
  );
};

describe('POST /api/coupons', () => {
  test('creates a coupon that reads back the same, through every process', async () => {
    const { status, body } = await api('POST', '/api/coupons', { body: { ...good, maxDiscountAmount: 700 } });
    expect(status).toBe(201);
    expect(body).toEqual({
      ...good,
      couponId: expect.stringMatching(/^coupon-[0-9a-f]{32}$/),
      maxDiscountAmount: 700,
      issuedQuantity: 0,
      remainingQuantity: 100,
    });
    for (const url of urls) {
      const seen = await api('GET', `/api/coupons/${body.couponId}`, { url });
      expect([seen.status, seen.body]).toEqual([200, body]);
    }
  });

  test('what may be left out has its default', async () => {
    const { body } = await api('POST', '/api/coupons', { body: { ...good, minOrderAmount: undefined } });
    expect(body).toMatchObject({ minOrderAmount: 0, maxDiscountAmount: null });
  });

  test('times with an offset are answered in UTC', async () => {
    const id = await create({ validFrom: '2026-01-01T00:00:00+09:00', validUntil: '2036-01-01T09:00:00.5+09:00' });
    expect((await api('GET', `/api/coupons/${id}`)).body).toMatchObject({
      validFrom: '2025-12-31T15:00:00.000Z',
      validUntil: '2036-01-01T00:00:00.500Z',
    });
  });

  test('the limits themselves are allowed, and a name of any script', async () => {
    const name = '쿠폰 🎟️'.padEnd(100, 'é');
    const { status, body } = await api('POST', '/api/coupons', {
      body: {
        ...good,
        name,
        discountType: 'PERCENT',
        discountValue: 100,
        minOrderAmount: 1_000_000_000,
        maxDiscountAmount: 1_000_000_000,
        totalQuantity: 10_000_000,
      },
    });
    expect(status).toBe(201);
    expect((await api('GET', `/api/coupons/${body.couponId}`)).body.name).toBe(name);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no name', { name: undefined }, 'name'],
    ['a blank name', { name: '  ' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['a name that is no text', { name: 1 }, 'name'],
    ['no type', { discountType: undefined }, 'discountType'],
    ['another type', { discountType: 'fixed' }, 'discountType'],
    ['no value', { discountValue: undefined }, 'discountValue'],
    ['value 0', { discountValue: 0 }, 'discountValue'],
    ['a negative value', { discountValue: -1 }, 'discountValue'],
    ['a fractional value', { discountValue: 0.5 }, 'discountValue'],
    ['a value as text', { discountValue: '1000' }, 'discountValue'],
    ['a value above the limit', { discountValue: 1_000_000_001 }, 'discountValue'],
    ['101 percent', { discountType: 'PERCENT', discountValue: 101 }, 'discountValue'],
    ['a negative minimum', { minOrderAmount: -1 }, 'minOrderAmount'],
    ['a minimum above the limit', { minOrderAmount: 1_000_000_001 }, 'minOrderAmount'],
    ['a minimum of null', { minOrderAmount: null }, 'minOrderAmount'],
    ['a cap of 0', { maxDiscountAmount: 0 }, 'maxDiscountAmount'],
    ['a cap above the limit', { maxDiscountAmount: 1_000_000_001 }, 'maxDiscountAmount'],
    ['no quantity', { totalQuantity: undefined }, 'totalQuantity'],
    ['quantity 0', { totalQuantity: 0 }, 'totalQuantity'],
    ['a fractional quantity', { totalQuantity: 1.5 }, 'totalQuantity'],
    ['a quantity above the limit', { totalQuantity: 10_000_001 }, 'totalQuantity'],
    ['no beginning', { validFrom: undefined }, 'validFrom'],
    ['a date without a time', { validFrom: '2026-01-01' }, 'validFrom'],
    ['a time without a zone', { validFrom: '2026-01-01T00:00:00' }, 'validFrom'],
    ['a day that is not', { validFrom: '2026-02-30T00:00:00Z' }, 'validFrom'],
    ['a time as number', { validFrom: 0 }, 'validFrom'],
    ['a year before the database’s first', { validFrom: '0999-12-31T00:00:00Z' }, 'validFrom'],
    ['a year before the first', { validFrom: '0000-01-01T00:00:00+09:00' }, 'validFrom'],
    ['a year after the last', { validUntil: '9999-12-31T23:00:00-09:00' }, 'validUntil'],
    ['no end', { validUntil: undefined }, 'validUntil'],
    ['an end before the beginning', { validUntil: at(-2) }, 'validUntil'],
    ['an end at the beginning', { validUntil: good.validFrom }, 'validUntil'],
    ['an id of one’s own', { couponId: 'mine' }, 'couponId'],
  ])('%s is refused', async (_what, changes, field) => {
    const { status, body } = await api('POST', '/api/coupons', { body: { ...good, ...changes } });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
  });

  test('several problems are named together', async () => {
    const { body } = await api('POST', '/api/coupons', { body: { ...good, name: '', totalQuantity: 0 } });
    expect(body.details.problems.map(({ field }: { field: string }) => field)).toEqual(['name', 'totalQuantity']);
  });

  test.each(['{', '[]', 'null', '"coupon"'])('the body %s is refused', async (body) => {
    const answer = await api('POST', '/api/coupons', { body });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'COMMON400', details: { field: 'body' } });
  });
});

describe('GET /api/coupons', () => {
  test('lists the newest first, each as it reads alone', async () => {
    const first = await create();
    const second = await create();
    const { status, body } = await api('GET', '/api/coupons');
    expect(status).toBe(200);
    expect(body.slice(0, 2).map(({ couponId }: { couponId: string }) => couponId)).toEqual([second, first]);
    expect(body[0]).toEqual((await api('GET', `/api/coupons/${second}`)).body);
    expect(body.map(({ couponId }: { couponId: string }) => couponId)).toContain('test-coupon-1');
  });

  test('counts what was issued and what remains', async () => {
    const id = await create({ totalQuantity: 3 });
    await Promise.all(['test-user-61', 'test-user-62'].map((user) => give(id, user)));
    expect((await api('GET', `/api/coupons/${id}`)).body).toMatchObject({
      totalQuantity: 3,
      issuedQuantity: 2,
      remainingQuantity: 1,
    });
  });

  test('an unknown coupon is C404; what is no id, or not asked for, 400', async () => {
    const unknown = await api('GET', '/api/coupons/nothing');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'C404']);
    for (const [path, field] of [
      [`/${LONG}`, 'couponId'],
      ['/a%20b', 'couponId'],
      ['?page=1', 'page'],
    ]) {
      const { status, body } = await api('GET', `/api/coupons${path}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
    }
  });
});

describe('POST /api/coupons/validate', () => {
  const validate = (userId: string, couponId: string, orderAmount: number) =>
    api('POST', '/api/coupons/validate', { body: { userId, couponId, orderAmount } });
  const refused = (reason: string) => [200, { valid: false, discountAmount: 0, reason }];
  const taken = (discountAmount: number) => [200, { valid: true, discountAmount }];
  const result = async (...asked: Parameters<typeof validate>) => {
    const { status, body } = await validate(...asked);
    return [status, body];
  };

  test('a fixed discount, from the minimum on, never above the order', async () => {
    const user = 'test-user-63';
    const [least, most] = await Promise.all([create(), create({ discountValue: 50_000, minOrderAmount: 0 })]);
    await Promise.all([give(least, user), give(most, user)]);
    expect(await result(user, least, 4_999)).toEqual(refused('C004'));
    expect(await result(user, least, 5_000)).toEqual(taken(1_000));
    expect(await result(user, most, 49_999)).toEqual(taken(49_999));
    expect(await result(user, most, 0)).toEqual(taken(0));
  });

  test('a percentage rounds down, stays exact for the largest order, and ends at its cap', async () => {
    const user = 'test-user-64';
    const percent = { discountType: 'PERCENT', minOrderAmount: 0 };
    const [third, capped] = await Promise.all([
      create({ ...percent, discountValue: 33 }),
      create({ ...percent, discountValue: 50, maxDiscountAmount: 10_000 }),
    ]);
    await Promise.all([give(third, user), give(capped, user)]);
    expect(await result(user, third, 101)).toEqual(taken(33));
    expect(await result(user, third, Number.MAX_SAFE_INTEGER)).toEqual(taken(2_972_375_754_064_527));
    expect(await result(user, capped, 30_000)).toEqual(taken(10_000));
  });

  test('a coupon that is not, that the user has not, or that is used', async () => {
    const coupon = await create();
    expect(await result('test-user-65', 'nothing', 10_000)).toEqual(refused('C404'));
    expect(await result('test-user-65', coupon, 10_000)).toEqual(refused('C003'));
    expect(await result('nobody', coupon, 10_000)).toEqual(refused('C003'));
    await give(coupon, 'test-user-65');
    expect(await result('test-user-65', coupon, 10_000)).toEqual(taken(1_000));
    const order = await api('POST', '/api/orders', { body: { userId: 'test-user-65', couponId: coupon } });
    expect([order.status, order.body.discountAmount]).toEqual([200, 1_000]);
    expect(await result('test-user-65', coupon, 10_000)).toEqual(refused('C003'));
  });

  test('a coupon before and after its period', async () => {
    const coupon = await create();
    await give(coupon, 'test-user-66');
    await db.query('UPDATE coupons SET valid_from = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR WHERE id = ?', [coupon]);
    expect(await result('test-user-66', coupon, 10_000)).toEqual(refused('C002'));
    await db.query(
      'UPDATE coupons SET valid_from = UTC_TIMESTAMP(3) - INTERVAL 2 HOUR, valid_until = UTC_TIMESTAMP(3) WHERE id = ?',
      [coupon],
    );
    expect(await result('test-user-66', coupon, 10_000)).toEqual(refused('C002'));
  });

  test('changes nothing', async () => {
    const coupon = await create();
    await give(coupon, 'test-user-67');
    const before = (await api('GET', `/api/coupons/${coupon}`)).body;
    for (let i = 0; i < 3; i++) expect(await result('test-user-67', coupon, 10_000)).toEqual(taken(1_000));
    expect((await api('GET', `/api/coupons/${coupon}`)).body).toEqual(before);
    const { body } = await api('GET', '/api/users/test-user-67/coupons');
    expect(body).toMatchObject([{ couponId: coupon, status: 'AVAILABLE', usedAt: null }]);
  });

  const asked = { userId: 'test-user-61', couponId: 'test-coupon-1', orderAmount: 1 };
  test.each<[string, unknown, string]>([
    ['no user', { ...asked, userId: undefined }, 'userId'],
    ['a user id of 65 characters', { ...asked, userId: LONG }, 'userId'],
    ['a coupon id of 65 characters', { ...asked, couponId: LONG }, 'couponId'],
    ['a coupon id of null', { ...asked, couponId: null }, 'couponId'],
    ['no amount', { ...asked, orderAmount: undefined }, 'orderAmount'],
    ['a negative amount', { ...asked, orderAmount: -1 }, 'orderAmount'],
    ['a fractional amount', { ...asked, orderAmount: 0.5 }, 'orderAmount'],
    ['an amount as text', { ...asked, orderAmount: '1' }, 'orderAmount'],
    ['an amount that is not exact', `${JSON.stringify(asked).slice(0, -2)}9007199254740993}`, 'orderAmount'],
    ['a field that is not known', { ...asked, discount: 1 }, 'discount'],
    ['broken JSON', '{"userId"', 'body'],
  ])('%s is refused', async (_what, body, field) => {
    const answer = await api('POST', '/api/coupons/validate', { body });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'COMMON400', details: { field } });
  });
});

describe('GET /api/users/{userId}/coupons', () => {
  const USER = 'test-user-68';
  const ids = async (query: string): Promise<string[]> => {
    const { status, body } = await api('GET', `/api/users/${USER}/coupons${query}`);
    expect(status).toBe(200);
    return body.map(({ couponId }: { couponId: string }) => couponId);
  };
  let available: string;
  let used: string;
  let expired: string;
  let usedThenExpired: string;

  beforeAll(async () => {
    [available, used, expired, usedThenExpired] = (await Promise.all(
      Array.from({ length: 4 }, () => create({ minOrderAmount: 0 })),
    )) as [string, string, string, string];
    for (const coupon of [usedThenExpired, expired, used, available]) await give(coupon, USER);
    for (const couponId of [usedThenExpired, used]) {
      const { status } = await api('POST', '/api/orders', { body: { userId: USER, couponId } });
      expect(status).toBe(200);
      await api('POST', '/api/cart/items', { body: { userId: USER, productId: 'test-product-1', quantity: 1 } });
    }
    await db.query('UPDATE coupons SET valid_until = UTC_TIMESTAMP(3) WHERE id IN (?)', [[expired, usedThenExpired]]);
  });

  test('shows all, newest first, with what became of each', async () => {
    const { body } = await api('GET', `/api/users/${USER}/coupons`);
    expect(body.map((mine: { couponId: string; status: string }) => [mine.couponId, mine.status])).toEqual([
      [available, 'AVAILABLE'],
      [used, 'USED'],
      [expired, 'EXPIRED'],
      [usedThenExpired, 'USED'],
    ]);
    expect(body[0]).toEqual({
      couponId: available,
      name: 'Spring',
      discountType: 'FIXED',
      discountValue: 1_000,
      status: 'AVAILABLE',
      issuedAt: expect.stringMatching(/\.\d{3}Z$/),
      usedAt: null,
      validUntil: good.validUntil,
    });
    expect(body[1].usedAt).toMatch(/\.\d{3}Z$/);
  });

  test('by status', async () => {
    expect(await ids('?status=AVAILABLE')).toEqual([available]);
    expect(await ids('?status=USED')).toEqual([used, usedThenExpired]);
    expect(await ids('?status=EXPIRED')).toEqual([expired]);
  });

  test.each(['test-user-69', 'nobody'])('%s has none', async (user) => {
    const { status, body } = await api('GET', `/api/users/${user}/coupons`);
    expect([status, body]).toEqual([200, []]);
  });

  test.each([
    [USER, '?status=GONE', 'status'],
    [USER, '?status=USED&status=USED', 'status'],
    [USER, '?limit=1', 'limit'],
    [LONG, '', 'userId'],
    ['a%20b', '', 'userId'],
  ])('%s%s is refused', async (user, query, field) => {
    const { status, body } = await api('GET', `/api/users/${user}/coupons${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
  });
});
