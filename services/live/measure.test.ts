import { readFileSync } from 'node:fs';
import { parseSlo } from '../../loadtests/k6/lib/slo.ts';
import { createMetrics } from '../core/metrics.ts';
import { judge } from './health.ts';
import { FAILED_TARGET, type LiveApi, measureNow, measurePoint, PLACES } from './measure.ts';
import { METRICS, observed, parse, quantile, readingOf } from './reading.ts';

const charge: LiveApi = { title: 'Charge', method: 'POST', route: '/charge', target: 288 };
const order: LiveApi = { title: 'Order', method: 'POST', route: '/orders', target: 131 };
const APIS = [charge, order];

function scene() {
  const metrics = createMetrics();
  const read = readingOf(metrics.registry, () => metrics.registry.metrics());
  const answer = ({ method, route }: LiveApi, status: number, milliseconds: number, times = 1) => {
    for (let n = 0; n < times; n++)
      metrics.duration.observe({ method, route, status: String(status) }, milliseconds / 1000);
  };
  return { metrics, read, answer };
}

test('every metric that the page is made of is there under its name', () => {
  const { metrics } = scene();
  expect(METRICS.filter((name) => !metrics.registry.getSingleMetric(name))).toEqual([]);
});

test('the reading is what /metrics says, and leaves alone what begins anew whenever it is read', async () => {
  const { metrics, read, answer } = scene();
  answer(charge, 200, 3, 7);
  metrics.consumerLag.set({ group: 'a "b"', topic: 't', partition: '0' }, 5);
  const collected = jest.spyOn(metrics.registry.getSingleMetric('nodejs_eventloop_lag_seconds') as never, 'get');
  const own = await read();
  expect(collected).not.toHaveBeenCalled();
  expect(own).toEqual(parse(await metrics.registry.metrics()));
  expect(own.get('onrush_consumer_lag')).toEqual([
    { labels: { group: 'a \\"b\\"', topic: 't', partition: '0' }, value: 5 },
  ]);
});

test('a percentile comes from the buckets of all series together', async () => {
  const { read, answer } = scene();
  answer(charge, 200, 400, 50);
  const before = await read();
  answer(charge, 200, 4, 90);
  answer(charge, 400, 90, 10);
  const { apis } = measureNow(APIS, before, await read(), 10);
  // 90 of 100 up to 5 ms; the 95th is the middle one of ten in the bucket from 50 to 97 ms. What was before counts nothing.
  expect(apis[0]).toMatchObject({ requests: 10, p95: 73.5, failed: 0, refused: 1, within: 1 });
  // Two series' percentiles, averaged, would be 47.5 or another figure between.
  expect(apis[1]).toEqual({
    requests: 0,
    p50: null,
    p95: null,
    p99: null,
    failed: null,
    refused: 0,
    within: null,
  });
});

test('beyond the last edge a percentile is that edge, and never infinite', async () => {
  const { read, answer } = scene();
  const before = await read();
  answer(charge, 200, 60_000, 3);
  expect(quantile(observed(before, await read(), 'onrush_http_request_duration_seconds'), 0.95)).toBe(10_000);
});

test('a process that ends takes its counts along: no figure is negative', async () => {
  const { read, answer } = scene();
  const other = scene();
  answer(charge, 200, 3, 9);
  const before = await read();
  const point = measurePoint(APIS, before, await other.read(), 1);
  expect(point.requests).toEqual([0, 0]);
  expect(point.p95).toEqual([null, null]);
});

test('waiting is counted where it happens: how many at once, and which part of the time', async () => {
  const { metrics, read, answer } = scene();
  const before = await read();
  for (let n = 0; n < 40; n++) metrics.locks.waited('combiner', 75);
  answer(charge, 200, 100, 40);
  for (let n = 0; n < 10; n++) metrics.locks.waited('user_row', 20);
  for (let n = 0; n < 10; n++) metrics.locks.waited('pool', 10);
  for (let n = 0; n < 10; n++) metrics.locks.ended('charge', 'committed', 40);
  const now = measureNow(APIS, before, await read(), 2);
  const of = (name: string) => now.waits[PLACES.findIndex((place) => place.name === name)];
  expect(of('combiner')).toMatchObject({ count: 20, waiting: 1.5, share: 0.75 });
  expect(of('user_row')?.share).toBeCloseTo(0.2 / 0.5);
  expect(of('pool')?.share).toBeCloseTo(0.1 / 0.5);
  expect(of('gate')).toMatchObject({ count: 0, p95: null, share: 0 });
  expect(judge(APIS, now).health.heldBy).toBe(
    'requests spend 75 % of their time waiting for their turn; transactions 40 % of theirs waiting for a user row',
  );
});

test('a promise on its way is no longer to be had, and not issued yet', async () => {
  const { metrics, read } = scene();
  expect(measureNow(APIS, await read(), await read(), 1).coupons.sale).toBeNull();
  metrics.couponQuantity.set({ state: 'remaining' }, 70);
  metrics.couponQuantity.set({ state: 'issued' }, 30);
  metrics.streamLength.set(4);
  metrics.consumerLag.set({ group: 'g', topic: 'onrush.coupon-issue', partition: '1' }, 6);
  metrics.consumerLag.set({ group: 'g', topic: 'onrush.order-events', partition: '1' }, 99);
  const reading = await read();
  expect(measureNow(APIS, reading, reading, 1).coupons.sale).toEqual({ remaining: 60, pending: 10, issued: 30 });
});

describe('health', () => {
  const judged = async (happens: (scenery: ReturnType<typeof scene>) => void) => {
    const scenery = scene();
    const before = await scenery.read();
    happens(scenery);
    return judge(APIS, measureNow(APIS, before, await scenery.read(), 10));
  };

  test('nothing to do is idle, a few slow requests are no judgement', async () => {
    expect((await judged(() => {})).health).toEqual({ state: 'idle', reasons: [], heldBy: null });
    const { health, states } = await judged(({ answer }) => answer(charge, 500, 900, 5));
    expect([health.state, states]).toEqual(['healthy', ['healthy', 'idle']]);
  });

  test('beyond a target it is bad, close to it attention is asked for, each API by itself', async () => {
    const slow = await judged(({ answer }) => {
      answer(order, 200, 190, 100);
      answer(charge, 200, 20, 100);
    });
    expect(slow.states).toEqual(['healthy', 'bad']);
    expect(slow.health).toMatchObject({ state: 'bad', reasons: ['Order: p95 is 197 ms, its target 131 ms'] });
    const near = await judged(({ answer }) => answer(order, 200, 120, 100));
    expect(near).toMatchObject({ states: ['idle', 'attention'], health: { state: 'attention' } });
  });

  test('failures are 5xx and those without an answer; refusals are business', async () => {
    const refused = await judged(({ answer }) => answer(charge, 409, 5, 100));
    expect(refused.health.state).toBe('healthy');
    for (const status of [503, 499]) {
      const { health } = await judged(({ answer }) => {
        answer(charge, 200, 5, 98);
        answer(charge, status, 5, 2);
      });
      expect(health).toMatchObject({ state: 'bad', reasons: [expect.stringContaining('2 % of the requests fail')] });
    }
  });

  test.each<[string, (scenery: ReturnType<typeof scene>) => void]>([
    ['promised coupons were lost', ({ metrics }) => metrics.lostPromises.inc(2)],
    ['gate is closed', ({ metrics }) => metrics.gatesClosed.set(1)],
    ['given up: 3', ({ metrics }) => metrics.outboxBacklog.set({ status: 'FAILED' }, 3)],
    ['cannot be read: 1', ({ metrics }) => metrics.deadLetters.inc({ topic: 't' })],
  ])('%s', async (reason, happens) => {
    const { health } = await judged(happens);
    expect(health).toMatchObject({ state: 'bad', reasons: [expect.stringContaining(reason)] });
  });

  test('a pool that is used up asks for attention', async () => {
    const { health } = await judged(({ metrics }) =>
      metrics.watchPools({
        write: { size: 8, usage: () => ({ inUse: 8, waiting: 3 }) },
        read: { size: 8, usage: () => ({ inUse: 1, waiting: 0 }) },
      }),
    );
    expect(health).toMatchObject({
      state: 'attention',
      reasons: ['All 8 connections for writes are in use, 3 more are asked for'],
    });
  });
});

test('the share that may fail is that of slo.yaml', () => {
  for (const { error_rate } of Object.values(parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'))))
    expect(error_rate).toBe(FAILED_TARGET);
});
