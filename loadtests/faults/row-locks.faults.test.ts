import type { PoolConnection } from 'mysql2/promise';
import { ROLES } from '../../services/core/config.ts';
import { eventually } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import { type Answered, type Call, charge, figuresOf, order, untilDefinite } from './clients.ts';
import { type JudgedStack, judgedStack } from './judged-stack.ts';
import { metric } from './metric.ts';

/** The lock wait timeout and the deadline of a request, in seconds: all attempts fit into the second. */
const LOCK_WAIT = 1;
const DEADLINE = 9;
/** Times that a transaction is run at most. */
const ATTEMPTS = 5;

let judged: JudgedStack;
/** Waits a second for a row. */
let hasty: Started;
/** Wait longer than any step here takes. */
let one: Started;
let two: Started;
beforeAll(async () => {
  judged = await judgedStack('rows', 400, {
    ONRUSH_LOCK_WAIT_TIMEOUT_S: '20',
    ONRUSH_REQUEST_TIMEOUT_MS: '60000',
    ONRUSH_CHARGE_LANES: '1',
    ONRUSH_ORDER_LOCK_MS: '100',
  });
  const haste = { ONRUSH_LOCK_WAIT_TIMEOUT_S: String(LOCK_WAIT), ONRUSH_REQUEST_TIMEOUT_MS: String(DEADLINE * 1000) };
  [hasty, one, two] = await Promise.all([
    judged.start(['balance-api', 'order-api'], { env: haste }),
    judged.start(ROLES),
    judged.start(['order-api']),
  ]);
}, 60_000);
afterEach(async () => {
  for (const connection of open) await letGo(connection);
});
afterAll(() => judged.remove());

const retries = (reason: string, process: Started) => metric(process, 'onrush_transaction_retries_total', { reason });

const open = new Set<PoolConnection>();
/** Another session with a transaction of its own, which nobody else's wait ends. */
async function session(): Promise<PoolConnection> {
  const connection = await judged.own.db.getConnection();
  await connection.query('SET SESSION innodb_lock_wait_timeout = 50');
  await connection.query('START TRANSACTION');
  open.add(connection);
  return connection;
}
const holdUser = (connection: PoolConnection, user: number) =>
  connection.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [`test-user-${user}`]);
async function letGo(connection: PoolConnection): Promise<void> {
  await connection.query('ROLLBACK');
  open.delete(connection);
  connection.release();
}
/** The engine runs back the lighter of two that wait for each other: this one has changed hundreds of rows. */
const makeHeavy = (connection: PoolConnection) =>
  connection.query('INSERT INTO run_baselines (kind, id, value) VALUES ?', [
    Array.from({ length: 500 }, (_, n) => ['weight', `w-${n}`, n]),
  ]);
/** InnoDB makes this table anew only for one who has not looked for a tenth of a second. */
const waiting = (statements: string, count = 1) =>
  eventually(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return judged.own.value(
        "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ?",
        [statements],
      );
    },
    (waits) => waits >= count,
    20_000,
  );
const ask = (call: Call, process = one) => untilDefinite([call], () => [process.url]);
async function answerTo({ path, body, key }: Call, process = one) {
  const answer = await fetch(`${process.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
}
async function passes(
  before: Awaited<ReturnType<JudgedStack['before']>>,
  answered: Answered[],
  charges: number,
  orders: number,
) {
  const verdict = await judged.verdict(figuresOf(before, answered));
  expect(verdict.reasons).toEqual([]);
  const rows = (id: string) => verdict.checks.find((check) => check.id === id)?.checked;
  expect([rows('client-charges'), rows('client-orders')]).toEqual([charges, orders]);
}

describe.each([
  ['charge', (key: string) => charge(1, 700, key), [1, 0]],
  ['order', (key: string) => order(1, key), [0, 1]],
] as const)('a row that a %s waits for too long', (_kind, call, [charges, orders]) => {
  it('has the whole transaction run again, and is counted; the effect is one', async () => {
    const [before, counted] = [await judged.before(), await retries('lock_wait_timeout', hasty)];
    const holder = await session();
    await holdUser(holder, 1);
    const answered = ask(call(`again-${charges}`), hasty);
    await eventually(
      () => retries('lock_wait_timeout', hasty),
      (now) => now > counted,
    );
    await letGo(holder);
    expect((await answered)[0]?.answer?.status).toBe(200);
    expect((await answered)[0]?.tries).toHaveLength(1);
    expect((await retries('lock_wait_timeout', hasty)) - counted).toBeLessThanOrEqual(ATTEMPTS);
    await passes(before, await answered, charges, orders);
  });

  it('ends in 503 after so many attempts, before the deadline, and nothing was done', async () => {
    const [before, counted] = [await judged.before(), await retries('lock_wait_timeout', hasty)];
    const holder = await session();
    await holdUser(holder, 1);
    const began = Date.now();
    const refused = await answerTo(call(`never-${charges}`), hasty);
    expect([refused.status, refused.body.code]).toEqual([503, 'COMMON503']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(Date.now() - began).toBeLessThan(DEADLINE * 1000);
    expect((await retries('lock_wait_timeout', hasty)) - counted).toBe(ATTEMPTS);
    await letGo(holder);
    await passes(before, [], 0, 0);
    const answered = await ask(call(`never-${charges}`), hasty);
    expect(answered[0]?.answer).toMatchObject({ status: 200, replayed: false });
    await passes(before, answered, charges, orders);
  });
});

describe('a deadlock with somebody else’s transaction', () => {
  it('has the charges of a whole batch run again, each once', async () => {
    const [before, counted] = [await judged.before(), await retries('deadlock', one)];
    const [first, heavy] = await Promise.all([session(), session()]);
    await holdUser(first, 10);
    await makeHeavy(heavy);
    await holdUser(heavy, 12);
    // While the first is in flight the others gather behind it, and then lock 11, and 12 after it.
    const inFlight = ask(charge(10, 100, 'lock-10'));
    await waiting('%test-user-10%');
    const batch = untilDefinite([charge(11, 100, 'lock-11'), charge(12, 100, 'lock-12')], () => [one.url]);
    await eventually(
      () => metric(one, 'onrush_combiner_queue', { combiner: 'charge' }),
      (queued) => queued === 2,
    );
    await letGo(first);
    await waiting('%test-user-12%');
    await holdUser(heavy, 11);
    await letGo(heavy);
    const answered = [...(await inFlight), ...(await batch)];
    expect(answered.map(({ answer, tries }) => [answer?.status, tries.length])).toEqual(Array(3).fill([200, 1]));
    expect((await retries('deadlock', one)) - counted).toBe(1);
    await passes(before, answered, 3, 0);
  });

  it('has an order run again from its beginning, with one payment and one event', async () => {
    const [before, counted] = [await judged.before(), await retries('deadlock', one)];
    const heavy = await session();
    await makeHeavy(heavy);
    await heavy.query('SELECT quantity FROM stocks FOR UPDATE');
    const answered = ask(order(20, 'lock-20'));
    await waiting('UPDATE stocks%');
    await holdUser(heavy, 20);
    await letGo(heavy);
    expect((await answered)[0]).toMatchObject({ answer: { status: 200, replayed: false }, tries: ['200'] });
    expect((await retries('deadlock', one)) - counted).toBe(1);
    await passes(before, await answered, 0, 1);
  });
});

describe('an order lock in Redis that expires while its order waits for a row', () => {
  const { names, redis } = { names: () => judged.own.names, redis: () => judged.own.redis };
  const expired = (user: number) =>
    eventually(
      () => redis().exists(names().orderLock(`test-user-${user}`)),
      (held) => held === 0,
    );

  it('lets the same key in again through another process, and it stays one order', async () => {
    const before = await judged.before();
    const holder = await session();
    await holdUser(holder, 30);
    const call = order(30, 'expires');
    const first = answerTo(call);
    await waiting('%test-user-30%');
    await expired(30);
    const second = answerTo(call, two);
    await waiting('%test-user-30%', 2);
    await letGo(holder);
    const [a, b] = await Promise.all([first, second]);
    expect([a.status, b.status]).toEqual([200, 200]);
    expect(a.body).toEqual(b.body);
    expect([a, b].map(({ headers }) => headers.get('idempotency-replayed')).sort()).toEqual(['true', null].sort());
    await passes(before, await ask(call), 0, 1);
  });

  it('lets another order of the user in, and both are whole, one after the other', async () => {
    const before = await judged.before();
    const holder = await session();
    await holdUser(holder, 31);
    const calls = [order(31, 'first'), order(31, 'second')] as const;
    const first = answerTo(calls[0]);
    await waiting('%test-user-31%');
    await expired(31);
    const second = answerTo(calls[1], two);
    await waiting('%test-user-31%', 2);
    await letGo(holder);
    const [a, b] = await Promise.all([first, second]);
    expect([a.status, b.status]).toEqual([200, 200]);
    expect(a.body.orderId).not.toBe(b.body.orderId);
    await passes(before, [...(await ask(calls[0])), ...(await ask(calls[1]))], 0, 2);
  });
});
