import { randomUUID } from 'node:crypto';
import { type Answer, stack } from '../../loadtests/test/stack.ts';
import { brokenLinks } from '../../loadtests/test/wallet-chain.ts';

const { api, db, urls, value } = stack();
const charge = (user: number, body: unknown, options: { key?: string; url?: string } = {}): Promise<Answer> =>
  api('POST', `/api/users/test-user-${user}/balance/charge`, {
    body,
    ...(options.url ? { url: options.url } : {}),
    ...(options.key ? { headers: { 'idempotency-key': options.key } } : {}),
  });
const balanceOf = (user: number) => value('SELECT balance FROM users WHERE id = ?', [`test-user-${user}`]);

describe('POST /api/users/{userId}/balance/charge', () => {
  it('answers with the amounts before and after', async () => {
    const answer = await charge(100, { amount: 500 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      userId: 'test-user-100',
      previousBalance: 1_000_000,
      chargedAmount: 500,
      currentBalance: 1_000_500,
      chargedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(answer.headers.get('idempotency-replayed')).toBeNull();
    expect(await balanceOf(100)).toBe(1_000_500);
  });

  it.each([
    [{ amount: 0 }],
    [{ amount: -1 }],
    [{ amount: 1.5 }],
    [{ amount: 1_000_000_001 }],
    [{ amount: '100' }],
    [{ amount: null }],
    [{ amount: true }],
    [{}],
    ['{"amount":1e400}'],
    ['{"amount":100.00000000000000000001}'],
    ['{"amount":9007199254740993}'],
  ])('refuses the amount in %j and names the field', async (body) => {
    const answer = await charge(101, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'COMMON400', details: { field: 'amount' } });
    expect(answer.body.traceId).toMatch(/^[\da-f]{32}$/);
    expect(await balanceOf(101)).toBe(1_000_000);
  });

  it('takes a whole number however it is written', async () => {
    expect((await charge(102, '{"amount":100.0}')).status).toBe(200);
    expect(await balanceOf(102)).toBe(1_000_100);
  });

  it('refuses unknown fields, bad JSON, other media types and large bodies', async () => {
    expect((await charge(101, { amount: 1, currency: 'KRW' })).body).toMatchObject({
      code: 'COMMON400',
      details: { field: 'currency' },
    });
    expect((await charge(101, '{"amount":')).body).toMatchObject({ code: 'COMMON400', details: { field: 'body' } });
    expect((await charge(101, '[]')).status).toBe(400);
    expect((await charge(101, JSON.stringify({ amount: 1, transactionId: 'x'.repeat(17_000) }))).status).toBe(413);
    const text = await api('POST', '/api/users/test-user-101/balance/charge', {
      body: 'amount=1',
      headers: { 'content-type': 'text/plain' },
    });
    expect(text.status).toBe(415);
    expect(await balanceOf(101)).toBe(1_000_000);
  });

  it('refuses ids that are too long, ids of other characters and users that do not exist', async () => {
    const to = (id: string) => api('POST', `/api/users/${id}/balance/charge`, { body: { amount: 1 } });
    expect((await to('u'.repeat(65))).body).toMatchObject({ code: 'COMMON400', details: { field: 'userId' } });
    expect((await to('a%20b')).status).toBe(400);
    expect((await to('%ff')).status).toBe(400);
    expect(await to('nobody')).toMatchObject({ status: 404, body: { code: 'U001' } });
  });

  it('refuses a charge beyond what can be held exactly', async () => {
    await db.query('UPDATE users SET balance = ? WHERE id = ?', [Number.MAX_SAFE_INTEGER - 10, 'test-user-103']);
    expect(await charge(103, { amount: 11 })).toMatchObject({ status: 400, body: { code: 'U002' } });
    expect((await charge(103, { amount: 10 })).body.currentBalance).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('replays a key, and refuses it with another amount', async () => {
    const first = await charge(104, { amount: 700 }, { key: 'k-1' });
    const again = await charge(104, { amount: 700 }, { key: 'k-1', url: urls[1] as string });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await charge(104, { amount: 701 }, { key: 'k-1' })).toMatchObject({ status: 422, body: { code: 'I422' } });
    expect(await charge(105, { amount: 701 }, { key: 'k-1' })).toMatchObject({ status: 200 });
    expect(await balanceOf(104)).toBe(1_000_700);
  });

  it('takes transactionId as the key', async () => {
    const first = await charge(106, { amount: 5, transactionId: 't-1' });
    const again = await charge(106, { amount: 5 }, { key: 't-1' });
    expect(again.body).toEqual(first.body);
    expect(await charge(106, { amount: 5, transactionId: 't-1' }, { key: 't-2' })).toMatchObject({
      status: 400,
      body: { details: { field: 'transactionId' } },
    });
    expect(await balanceOf(106)).toBe(1_000_005);
  });

  it('refuses keys that are empty, too long or not printable', async () => {
    for (const key of ['k'.repeat(65), 'caf\u00e9']) {
      expect(await charge(107, { amount: 5 }, { key })).toMatchObject({
        status: 400,
        body: { details: { field: 'Idempotency-Key' } },
      });
    }
    expect(await charge(107, { amount: 5, transactionId: '' })).toMatchObject({
      status: 400,
      body: { details: { field: 'transactionId' } },
    });
  });

  it('adds 100 charges of one user through two processes to the exact sum, in one chain', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => charge(110, { amount: n + 1 }, { url: urls[n % urls.length] as string })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(await balanceOf(110)).toBe(1_000_000 + 5_050);
    expect(await brokenLinks(`test-user-${110}`)).toBe(0);
    const ends = answers.map(({ body }) => body.currentBalance).sort((a, b) => a - b);
    expect(new Set(ends).size).toBe(100);
    expect(ends.at(-1)).toBe(1_005_050);
  });

  it('takes the same key 50 times at once through two processes as one charge and gives 50 equal answers', async () => {
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => charge(111, { amount: 9 }, { key, url: urls[n % urls.length] as string })),
    );
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    expect(await balanceOf(111)).toBe(1_000_009);
  });

  it('lets one request’s refusal be that request’s alone among many of other users', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        n % 3 === 0
          ? api('POST', `/api/users/ghost-${n}/balance/charge`, { body: { amount: 1 } })
          : charge(120 + (n % 20), { amount: 1 }, { key: `mix-${n % 3 === 1 ? n : 'same'}` }),
      ),
    );
    expect(answers.filter((_, n) => n % 3 === 0).every(({ status }) => status === 404)).toBe(true);
    expect(answers.filter((_, n) => n % 3 === 1).every(({ status }) => status === 200)).toBe(true);
    for (let user = 120; user < 140; user++) {
      const rows = await value('SELECT COUNT(*) FROM balance_charge_history WHERE user_id = ?', [`test-user-${user}`]);
      expect(await balanceOf(user)).toBe(1_000_000 + rows);
      expect(await brokenLinks(`test-user-${user}`)).toBe(0);
    }
  });

  it('keeps nobody else waiting behind a row that another session has locked', async () => {
    const connection = await db.getConnection();
    await connection.query('START TRANSACTION');
    await connection.query('SELECT id FROM users WHERE id = ? FOR UPDATE', ['test-user-150']);
    const waiting = charge(150, { amount: 1 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const others = await Promise.all(Array.from({ length: 9 }, (_, n) => charge(151 + n, { amount: 1 })));
    expect(others.map(({ status }) => status)).toEqual(Array(9).fill(200));
    await connection.query('COMMIT');
    connection.release();
    expect((await waiting).status).toBe(200);
    expect(await balanceOf(150)).toBe(1_000_001);
  });
});
