import { stack } from '../../loadtests/test/stack.ts';

const { api, urls } = stack();

const LONG = 'x'.repeat(65);
const charge = (userId: string, amount: number, url = urls[0] as string) =>
  api('POST', `/api/users/${userId}/balance/charge`, { body: { amount }, url });
const history = (userId: string, query = '') => api('GET', `/api/users/${userId}/balance/history${query}`);

describe('GET /api/users/{userId}/balance', () => {
  test('shows a seeded wallet', async () => {
    const { status, body } = await api('GET', '/api/users/test-user-41/balance');
    expect([status, body]).toEqual([200, { userId: 'test-user-41', balance: 1_000_000 }]);
  });

  test('shows a charge once it was answered, through every process', async () => {
    const { body } = await charge('test-user-42', 500);
    for (const url of urls) {
      const seen = await api('GET', '/api/users/test-user-42/balance', { url });
      expect(seen.body.balance).toBe(body.currentBalance);
    }
  });
});

describe('GET /api/users/{userId}/balance/history', () => {
  test('is empty for a wallet that was never charged', async () => {
    const { status, body } = await history('test-user-41');
    expect([status, body]).toEqual([200, { userId: 'test-user-41', items: [] }]);
  });

  test('shows every charge as it was answered, newest first, and each begins where the one before ended', async () => {
    const answers = [];
    for (let i = 1; i <= 5; i++) answers.unshift((await charge('test-user-43', i * 100)).body);
    const { status, body } = await history('test-user-43');
    expect(status).toBe(200);
    expect(body).toEqual({
      userId: 'test-user-43',
      items: answers.map(({ previousBalance, currentBalance, chargedAmount, chargedAt }, i) => ({
        amount: chargedAmount,
        previousBalance,
        currentBalance,
        balanceVersion: 5 - i,
        chargedAt,
      })),
    });
  });

  test('pages are complete and without repeats while charges arrive', async () => {
    const user = 'test-user-44';
    for (let i = 1; i <= 7; i++) await charge(user, i);
    const amounts: number[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const { body } = await history(user, `?limit=3${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      amounts.push(...body.items.map(({ amount }: { amount: number }) => amount));
      cursor = body.nextCursor;
      pages++;
      await charge(user, 1_000);
    } while (cursor !== undefined);
    expect(amounts).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(pages).toBe(3);
  });

  test('a page that ends with the first charge is the last', async () => {
    for (let i = 1; i <= 4; i++) await charge('test-user-45', i);
    const first = (await history('test-user-45', '?limit=2')).body;
    const second = (await history('test-user-45', `?limit=2&cursor=${first.nextCursor}`)).body;
    expect(second.items).toHaveLength(2);
    expect(second).not.toHaveProperty('nextCursor');
  });

  test('payments are no charges', async () => {
    const { status } = await api('POST', '/api/orders', { body: { userId: 'test-user-46' } });
    expect(status).toBe(200);
    await charge('test-user-46', 10);
    const { items } = (await history('test-user-46')).body;
    expect(items).toMatchObject([{ amount: 10, previousBalance: 970_000, currentBalance: 970_010, balanceVersion: 2 }]);
  });

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=101', 'limit'],
    ['?limit=x', 'limit'],
    ['?limit=1.5', 'limit'],
    ['?cursor=', 'cursor'],
    ['?cursor=-1', 'cursor'],
    ['?cursor=abc', 'cursor'],
    ['?cursor=1234567890123456', 'cursor'],
    ['?page=2', 'page'],
  ])('%s is refused', async (query, field) => {
    const { status, body } = await history('test-user-41', query);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
  });
});

describe.each(['balance', 'balance/history'])('GET /api/users/{userId}/%s', (path) => {
  test('an unknown user is U001', async () => {
    const { status, body } = await api('GET', `/api/users/nobody/${path}`);
    expect([status, body.code]).toEqual([404, 'U001']);
  });

  test.each([
    [LONG, '', 'userId'],
    ['a%20b', '', 'userId'],
    ['test-user-41', '?colour=red', 'colour'],
  ])('%s%s is refused', async (user, query, field) => {
    const { status, body } = await api('GET', `/api/users/${user}/${path}${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'COMMON400', details: { field } });
  });
});
