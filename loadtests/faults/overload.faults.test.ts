import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseExposition, sum } from '../bench/exposition.ts';
import { type ApiName, parseSlo } from '../k6/lib/slo.ts';
import { seed } from '../seed/seed.ts';
import { type OwnStack, ownStack } from '../test/own-stack.ts';
import type { Started } from '../test/start-services.ts';
import { openStack } from '../verify/stack.ts';
import { verify } from '../verify/verify.ts';
import { cellsOf } from './cells.ts';
import { figuresOf } from './figures.ts';
import { openAgent, post } from './post.ts';
import { replayToDefinite } from './replay.ts';
import { type Request, startTraffic } from './traffic.ts';

/**
 * Three times as much as one process can serve. Its capacity is made small, so that the machine has room for who sends
 * so much: a pool of four connections, one lane, and one request a transaction.
 */
const SMALL = {
  ONRUSH_WRITE_POOL: '4',
  ONRUSH_CHARGE_LANES: '1',
  ONRUSH_CHECKOUT_LANES: '1',
  ONRUSH_MAX_BATCH: '1',
  ONRUSH_CART_AFTER_ORDER: 'keep',
};
const TIMES = 3;
const SECONDS = Number(process.env.ONRUSH_TEST_OVERLOAD_SECONDS ?? 20);
const USERS = 2_000;

const slo = parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'));
let own: OwnStack;
let started: Started;
const sent: Request[] = [];
const agent = openAgent();
beforeAll(async () => {
  own = await ownStack('overload', { topics: true });
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = own.config;
  await seed({ databaseUrl, redisUrl, kafkaBrokers, namespace, users: USERS });
  started = await own.start(SMALL);
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await own.remove();
});

/** Successes a second of as many clients as there may be without a queue that is too long, each waiting for its answer. */
async function closedLoop(api: ApiName, milliseconds: number): Promise<number> {
  const began = performance.now();
  const requests: Request[] = [];
  const client = async (n: number) => {
    for (let round = 0; performance.now() - began < milliseconds; round++) {
      const userId = `test-user-${1 + ((n * 97 + round) % USERS)}`;
      const amount = api === 'charge' ? 50_000 : 0;
      const path = api === 'charge' ? `/api/users/${userId}/balance/charge` : '/api/orders';
      const body = api === 'charge' ? { amount } : { userId };
      const key = `closed-${api}-${began}-${n}-${round}`;
      const reply = await post(agent, started.url + path, key, body, 10_000);
      requests.push({ api, path, key, body, amount, sentAt: 0, answeredAt: 0, reply });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => client(n)));
  sent.push(...requests);
  return requests.filter(({ reply }) => reply?.status === 200).length / ((performance.now() - began) / 1_000);
}

async function memory(): Promise<{ rss: number; heap: number }> {
  const reading = parseExposition(await (await fetch(`${started.url}/metrics`)).text());
  return {
    rss: sum(reading, 'process_resident_memory_bytes'),
    heap: sum(reading, 'nodejs_heap_size_used_bytes'),
  };
}

const MiB = 2 ** 20;
const WINDOW = 4;
const windowsOf = (requests: Request[]): Request[][] =>
  [...Map.groupBy(requests, ({ sentAt }) => Math.floor(sentAt / 1_000 / WINDOW)).values()].filter(
    (window) => window.length > 50,
  );

describe.each(['charge', 'order'] as const)('three times the capacity in %ss', (api) => {
  it('is refused before any work where it is too much, and what is admitted meets its target', async () => {
    // The best of several: what else the machine does only makes it less.
    let capacity = 0;
    for (let round = 0; round < 4; round++) capacity = Math.max(capacity, await closedLoop(api, 1_500));
    const before = await memory();
    const rates = { coupon: 0, charge: 0, order: 0, [api]: Math.ceil(TIMES * capacity) };
    const traffic = startTraffic({
      urls: [started.url],
      couponId: 'test-coupon-1',
      users: USERS,
      until: AbortSignal.timeout(1_000 * SECONDS),
      rates,
      patienceMs: 10_000,
    });
    const memories: Awaited<ReturnType<typeof memory>>[] = [];
    const watching = setInterval(() => void memory().then((one) => memories.push(one)), 1_000);
    await traffic.done;
    clearInterval(watching);
    let recovered = 0;
    const ended = performance.now();
    while (recovered < capacity / 2 && performance.now() - ended < 4_500) recovered = await closedLoop(api, 500);
    const recoveredAfter = (performance.now() - ended) / 1_000;
    sent.push(...traffic.requests);

    const admitted = traffic.requests.filter(({ reply }) => reply?.status === 200);
    const refused = traffic.requests.filter(({ reply }) => reply?.status === 503);
    const cell = cellsOf(admitted, 0)[api];
    // What else the machine does only makes them longer: in the quietest part they are what the process makes them.
    const quietest = Math.min(...windowsOf(admitted).map((window) => cellsOf(window, 0)[api].p99Ms));
    const refusals = cellsOf(refused, 0)[api];
    const peak = Math.max(...memories.map(({ rss }) => rss));
    console.info(
      [
        `${api}: capacity ${capacity.toFixed(0)}/s, offered ${rates[api]}/s for ${SECONDS} s`,
        `admitted ${(admitted.length / SECONDS).toFixed(0)}/s p99 ${cell.p99Ms.toFixed(0)} ms (${quietest.toFixed(0)} ms in the quietest ${WINDOW} s)`,
        `refused ${(refused.length / SECONDS).toFixed(0)}/s p99 ${refusals.p99Ms.toFixed(0)} ms`,
        `memory ${(before.rss / MiB).toFixed(0)} MiB before, ${(peak / MiB).toFixed(0)} MiB at most`,
        `${recovered.toFixed(0)}/s again within ${recoveredAfter.toFixed(1)} s`,
      ].join('; '),
    );

    // Nothing but successes and 503s that say when to come back; some of both.
    const all = cellsOf(traffic.requests, 0)[api];
    expect({ ...all.unavailable, COMMON503: 0 }).toEqual({ COMMON503: 0 });
    expect(admitted.length + refused.length + Object.values(all.refused).reduce((a, b) => a + b, 0)).toBe(all.sent);
    expect(all.withoutRetryAfter).toBe(0);
    expect(refused.length).toBeGreaterThan(0.3 * all.sent);
    expect(admitted.length / SECONDS).toBeGreaterThan(capacity / 4);
    expect(quietest).toBeLessThan(slo[api].p95_ms);
    expect(peak - before.rss).toBeLessThan(150 * MiB);
    expect(recovered).toBeGreaterThan(capacity / 2);
  }, 240_000);
});

it('leaves what the clients were told: refused means that nothing was done', async () => {
  // Of a COMMON503 the client was told that nothing was done: none of them may have a row.
  const told = sent.filter(({ reply }) => reply?.status !== 503 || reply.code !== 'COMMON503');
  const last = await replayToDefinite([started.url], told, 30_000);
  const stack = await openStack(own.config);
  await stack.untilDrained(60_000);
  await stack.close();
  const before = { charges: { count: 0, won: 0 }, orders: { count: 0, won: 0 }, issued: 0, rejected: 0 };
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = own.config;
  const clients = figuresOf(last, 'test-coupon-1', before);
  const verdict = await verify({ databaseUrl, redisUrl, kafkaBrokers, namespace, clients });
  expect(verdict.reasons).toEqual([]);
  expect(verdict.verdict).toBe('PASS');
  expect(clients.charge?.acknowledged.count).toBeGreaterThan(100);
}, 120_000);

it('and the process still is as quick as before', async () => {
  await sleep(1_000);
  const began = performance.now();
  const reply = await post(agent, `${started.url}/api/users/test-user-1/balance/charge`, 'last', { amount: 1 }, 5_000);
  expect(reply.status).toBe(200);
  expect(performance.now() - began).toBeLessThan(1_000);
});
