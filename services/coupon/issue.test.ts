import { type Answer, eventually, stack } from '../../loadtests/test/stack.ts';

const { api, db, urls, value, redis, names } = stack();
const u = (n: number) => `test-user-${n}`;
const issue = (coupon: string, user: number | string, options: { key?: string; url?: string } = {}): Promise<Answer> =>
  api('POST', `/api/coupons/${coupon}/issue`, {
    body: { userId: typeof user === 'number' ? u(user) : user },
    ...(options.url ? { url: options.url } : {}),
    ...(options.key ? { headers: { 'idempotency-key': options.key } } : {}),
  });
const statusOf = async (coupon: string, user: number | string) =>
  (await api('GET', `/api/coupons/${coupon}/issues/${typeof user === 'number' ? u(user) : user}`)).body.status;
const rowsOf = (coupon: string) => value('SELECT COUNT(*) FROM user_coupons WHERE coupon_id = ?', [coupon]);
const issuedOf = (coupon: string) => value('SELECT issued_quantity FROM coupons WHERE id = ?', [coupon]);

async function newCoupon(totalQuantity: number, hours: { from?: number; until?: number } = {}): Promise<string> {
  const answer = await api('POST', '/api/coupons', {
    body: {
      name: 'Test',
      discountType: 'FIXED',
      discountValue: 1_000,
      minOrderAmount: 0,
      totalQuantity,
      validFrom: new Date(Date.now() + (hours.from ?? -1) * 3_600_000).toISOString(),
      validUntil: new Date(Date.now() + (hours.until ?? 1) * 3_600_000).toISOString(),
    },
  });
  expect(answer.status).toBe(201);
  return answer.body.couponId;
}
/** All that was promised has become rows. */
const settled = (coupon: string, rows: number) =>
  eventually(
    () => rowsOf(coupon),
    (count) => count === rows,
  );

describe('POST /api/coupons/{couponId}/issue', () => {
  it('promises a coupon at once and issues it soon', async () => {
    const coupon = await newCoupon(10);
    const answer = await issue(coupon, 800);
    expect(answer).toMatchObject({
      status: 202,
      body: { queued: true, queueSize: 1, couponId: coupon, userId: u(800) },
    });
    expect(typeof answer.body.message).toBe('string');
    expect(
      await eventually(
        () => statusOf(coupon, 800),
        (status) => status !== 'pending',
      ),
    ).toBe('issued');
    expect(await issuedOf(coupon)).toBe(1);
    expect(await statusOf(coupon, 801)).toBe('none');
    expect((await api('GET', `/api/coupons/${coupon}`)).body).toMatchObject({
      issuedQuantity: 1,
      remainingQuantity: 9,
    });
  });

  it('refuses the second request of a user, replays the same key', async () => {
    const coupon = await newCoupon(10);
    const first = await issue(coupon, 802, { key: 'c-1' });
    expect(first.status).toBe(202);
    const again = await issue(coupon, 802, { key: 'c-1', url: urls[1] as string });
    expect(again.status).toBe(202);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await issue(coupon, 802, { key: 'c-2' })).toMatchObject({ status: 409, body: { code: 'C006' } });
    expect(await issue(coupon, 802)).toMatchObject({ status: 409, body: { code: 'C006' } });
    await settled(coupon, 1);
  });

  it('refuses coupons that do not exist, have not begun or have ended', async () => {
    expect(await issue('no-such-coupon', 803)).toMatchObject({ status: 404, body: { code: 'C404' } });
    expect(await issue(await newCoupon(1, { from: 1, until: 2 }), 803)).toMatchObject({
      status: 400,
      body: { code: 'C002' },
    });
    expect(await issue(await newCoupon(1, { from: -2, until: -1 }), 803)).toMatchObject({
      status: 400,
      body: { code: 'C002' },
    });
    expect((await api('GET', '/api/coupons/no-such-coupon/issues/a')).status).toBe(404);
  });

  it.each([[{}], [{ userId: 7 }], [{ userId: 'x'.repeat(65) }], [{ userId: 'a b' }], [{ userId: 'a', more: 1 }]])(
    'refuses the body %j',
    async (body) => {
      expect(await api('POST', '/api/coupons/test-coupon-1/issue', { body })).toMatchObject({
        status: 400,
        body: { code: 'COMMON400' },
      });
    },
  );

  it('never gives a coupon to a user that does not exist, and gives the place back', async () => {
    const coupon = await newCoupon(1);
    expect(await issue(coupon, 'nobody-at-all')).toMatchObject({ status: 202 });
    expect(
      await eventually(
        () => statusOf(coupon, 'nobody-at-all'),
        (status) => status !== 'pending',
      ),
    ).toBe('rejected');
    expect(await rowsOf(coupon)).toBe(0);
    expect(
      (
        await eventually(
          () => issue(coupon, 804),
          ({ status }) => status === 202,
        )
      ).status,
    ).toBe(202);
    await settled(coupon, 1);
  });

  it('gives one user one coupon for 200 requests at once through two processes', async () => {
    const coupon = await newCoupon(100);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => issue(coupon, 805, { url: urls[n % urls.length] as string })),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'C006')).toHaveLength(199);
    await settled(coupon, 1);
    expect(await issuedOf(coupon)).toBe(1);
  });

  it('gives the last coupon to one of 50 users at once', async () => {
    const coupon = await newCoupon(1);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => issue(coupon, 810 + n, { url: urls[n % urls.length] as string })),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'C001')).toHaveLength(49);
    await settled(coupon, 1);
  });

  it('issues exactly 300 of 300 to 500 users and knows each of them in the gate', async () => {
    const coupon = await newCoupon(300);
    const users = Array.from({ length: 500 }, (_, n) => 900 + n);
    const answers = await Promise.all(
      users.map((user, n) => issue(coupon, user, { url: urls[n % urls.length] as string })),
    );
    const promised = users.filter((_, n) => answers[n]?.status === 202).map(u);
    expect(promised).toHaveLength(300);
    await settled(coupon, 300);
    expect(await issuedOf(coupon)).toBe(300);
    const [rows] = await db.query('SELECT user_id FROM user_coupons WHERE coupon_id = ? ORDER BY user_id', [coupon]);
    expect((rows as { user_id: string }[]).map((row) => row.user_id)).toEqual([...promised].sort());
    expect((await redis.hkeys(names.admitted(coupon))).sort()).toEqual([...promised].sort());
  });
});

describe('the gate after Redis lost it', () => {
  it('closes, says so, and is rebuilt with everybody in it', async () => {
    const coupon = await newCoupon(5);
    for (const user of [1500, 1501, 1502]) expect((await issue(coupon, user, { key: `g-${user}` })).status).toBe(202);
    await settled(coupon, 3);
    await redis.del(names.gate(coupon), names.admitted(coupon));
    const closed = await issue(coupon, 1503);
    expect(closed).toMatchObject({ status: 503, body: { code: 'C503' } });
    expect(closed.headers.get('retry-after')).toBe('1');
    const answer = await eventually(
      () => issue(coupon, 1500),
      ({ status }) => status !== 503,
    );
    expect(answer).toMatchObject({ status: 409, body: { code: 'C006' } });
    expect((await issue(coupon, 1500, { key: 'g-1500' })).headers.get('idempotency-replayed')).toBe('true');
    expect((await issue(coupon, 1503)).status).toBe(202);
    expect((await issue(coupon, 1504)).status).toBe(202);
    expect(await issue(coupon, 1505)).toMatchObject({ status: 400, body: { code: 'C001' } });
    await settled(coupon, 5);
  });

  it('is not built, and so closed, once more for requests that asked while it was being built', async () => {
    const coupon = await newCoupon(5);
    // A rebuild would remove the mark with the rest of the gate.
    await redis.hset(names.gate(coupon), 'mark', 'not rebuilt');
    await redis.sadd(names.rebuildRequests, coupon);
    await eventually(
      () => redis.sismember(names.rebuildRequests, coupon),
      (asked) => asked === 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await redis.hget(names.gate(coupon), 'mark')).toBe('not rebuilt');
    expect((await issue(coupon, 1520)).status).toBe(202);
    await settled(coupon, 1);
  });

  it('stays closed under the run id of another Redis', async () => {
    const coupon = await newCoupon(5);
    await redis.hset(names.gate(coupon), 'instance', 'a-redis-that-was');
    expect((await issue(coupon, 1510)).status).toBe(503);
    expect(
      (
        await eventually(
          () => issue(coupon, 1510),
          ({ status }) => status !== 503,
        )
      ).status,
    ).toBe(202);
    await settled(coupon, 1);
  });

  it('does not issue more than there are when the users’ hash is lost behind an open gate', async () => {
    const coupon = await newCoupon(5);
    for (let user = 1520; user < 1525; user++) expect((await issue(coupon, user)).status).toBe(202);
    await settled(coupon, 5);
    await redis.del(names.admitted(coupon));
    const answers = await Promise.all(Array.from({ length: 3 }, (_, n) => issue(coupon, 1530 + n)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    for (let n = 0; n < 3; n++)
      expect(
        await eventually(
          () => statusOf(coupon, 1530 + n),
          (status) => status !== 'pending',
        ),
      ).toBe('rejected');
    expect(await rowsOf(coupon)).toBe(5);
    expect(await issuedOf(coupon)).toBe(5);
  });
});
