import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { seed } from '../seed/seed.ts';
import { type OwnStack, ownStack } from '../test/own-stack.ts';
import { eventually } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import { openStack } from '../verify/stack.ts';
import { verify } from '../verify/verify.ts';
import { openBalancer } from './balancer.ts';
import { cellsOf } from './cells.ts';
import { figuresOf } from './figures.ts';
import { replayToDefinite } from './replay.ts';
import { startTraffic } from './traffic.ts';

const APIS = { ROLES: 'coupon-api,balance-api,order-api' };
const WORKERS = ['coupon-gatekeeper', 'coupon-consumer', 'outbox-relay', 'projections'];
const USERS = 2_000;

let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('roll', { topics: true });
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = own.config;
  await seed({ databaseUrl, redisUrl, kafkaBrokers, namespace, users: USERS });
}, 120_000);
afterAll(() => own.remove());

/** A broker that hangs up, and counts who called. */
async function countingBroker() {
  let calls = 0;
  const server = createServer((socket) => {
    calls++;
    socket.on('error', () => {});
    socket.destroy();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { brokers: `127.0.0.1:${port}`, calls: () => calls, close: () => server.close() };
}

describe('a process', () => {
  it('of the APIs alone never speaks to Kafka', async () => {
    const broker = await countingBroker();
    const started = await own.start({ ...APIS, KAFKA_BROKERS: broker.brokers });
    const charge = await fetch(`${started.url}/api/users/test-user-1/balance/charge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"amount":1}',
    });
    const order = await fetch(`${started.url}/api/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"userId":"test-user-2"}',
    });
    expect([charge.status, order.status]).toEqual([200, 200]);
    await sleep(1_000);
    expect(await started.stop()).toBe(0);
    expect(broker.calls()).toBe(0);
    broker.close();
  }, 60_000);

  it.each(WORKERS)(
    'with the role %s does',
    async (role) => {
      const broker = await countingBroker();
      const started = await own.start({ ROLES: role, KAFKA_BROKERS: broker.brokers });
      await eventually(
        async () => broker.calls(),
        (calls) => calls > 0,
      );
      await started.stop('SIGKILL');
      broker.close();
    },
    60_000,
  );
});

describe('a drain that is longer than a stop may take', () => {
  it('is waited for, and the process ends by itself', async () => {
    const { url, stop } = await own.start({ ...APIS, ONRUSH_DRAIN_DELAY_MS: '22000' });
    const told = performance.now();
    const ended = stop('SIGTERM');
    await sleep(21_000);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(await ended).toBe(0);
    expect(performance.now() - told).toBeGreaterThan(22_000);
  }, 60_000);
});

describe('a rolling restart under load', () => {
  it('of three API processes and two with the workers fails no request and loses nothing', async () => {
    // Long beside the balancer's probes, also on a busy machine.
    const drain = { ONRUSH_DRAIN_DELAY_MS: '4000' };
    const startApi = () => own.start({ ...APIS, ...drain, ONRUSH_CART_AFTER_ORDER: 'keep' });
    const startWorkers = () => own.start({ ROLES: WORKERS.join(',') });
    // One after the other: each takes seconds of a core to start.
    const apis = [await startApi(), await startApi(), await startApi()];
    const workers = [await startWorkers(), await startWorkers()];
    const balancer = await openBalancer();
    for (const { url } of apis) balancer.add(url);
    const stack = await openStack(own.config);
    await stack.untilGateOpen('test-coupon-1');
    await stack.untilDrained(30_000);
    const before = await stack.before();

    const restarting = new AbortController();
    const traffic = startTraffic({
      urls: [balancer.url],
      couponId: 'test-coupon-1',
      users: USERS,
      until: restarting.signal,
      rates: { coupon: 8, charge: 15, order: 8 },
      patienceMs: 20_000,
    });
    await sleep(1_000);
    const restarted: Started[] = [];
    for (const old of apis) {
      // As a Deployment does it: the new one first, then SIGTERM to the old one.
      const next = await startApi();
      balancer.add(next.url);
      restarted.push(next);
      expect(await old.stop('SIGTERM')).toBe(0);
    }
    for (const old of workers) {
      expect(await old.stop('SIGTERM')).toBe(0);
      await startWorkers();
    }
    await sleep(1_000);
    restarting.abort();
    await traffic.done;

    const cells = cellsOf(traffic.requests, 0);
    for (const cell of Object.values(cells)) {
      expect(cell.sent).toBeGreaterThan(100);
      // Refusals by a rule are answers: a coupon asked for twice, or used before it was issued.
      const { unavailable, errors, broken, gaveUp } = cell;
      expect({ unavailable, errors, broken, gaveUp }).toEqual({ unavailable: {}, errors: 0, broken: 0, gaveUp: 0 });
    }
    expect(balancer.ready().sort()).toEqual(restarted.map(({ url }) => url).sort());

    const last = await replayToDefinite([balancer.url], traffic.requests, 1_000);
    expect((await stack.untilDrained(60_000)).reasons).toEqual([]);
    await stack.close();
    await balancer.close();
    const { databaseUrl, redisUrl, kafkaBrokers, namespace } = own.config;
    const clients = figuresOf(last, 'test-coupon-1', before);
    const verdict = await verify({ databaseUrl, redisUrl, kafkaBrokers, namespace, clients });
    expect({ reasons: verdict.reasons, verdict: verdict.verdict }).toEqual({ reasons: [], verdict: 'PASS' });
  }, 300_000);
});
