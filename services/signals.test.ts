import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OtlpReceiver, otlpReceiver, type ReceivedSpan } from '../loadtests/test/otlp-receiver.ts';
import { type OwnStack, ownStack } from '../loadtests/test/own-stack.ts';
import { eventually, stack } from '../loadtests/test/stack.ts';
import type { Started } from '../loadtests/test/start-services.ts';
import { ROLES, type Role } from './core/config.ts';

/** A process for each role, as in a cluster, all of them sending spans to one collector. */
const { api } = stack();
let own: OwnStack;
let collector: OtlpReceiver;
let by: Record<Role, Started>;
let couponId: string;
beforeAll(async () => {
  own = await ownStack('signals', { users: 20, topics: true });
  collector = await otlpReceiver();
  // One after the other: seven at once would each take seven times as long, and longer than a start may.
  const started: [Role, Started][] = [];
  for (const role of ROLES) {
    const settings = { ROLES: role, ONRUSH_TRACES: 'otlp', ONRUSH_TRACE_RATIO: '0' };
    started.push([role, await own.start({ ...settings, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint })]);
  }
  by = Object.fromEntries(started) as typeof by;
  const { body } = await api('POST', '/api/coupons', {
    url: by['coupon-api'].url,
    body: {
      name: 'Signals',
      discountType: 'FIXED',
      discountValue: 1,
      totalQuantity: 10,
      validFrom: new Date(Date.now() - 3_600_000).toISOString(),
      validUntil: new Date(Date.now() + 3_600_000).toISOString(),
    },
  });
  couponId = body.couponId;
  await own.db.query("INSERT INTO products (id, name, category, price) VALUES ('sig-1', 'One', 'test', 500)");
  await own.db.query("INSERT INTO stocks (product_id, quantity) VALUES ('sig-1', 100)");
  await own.db.query("INSERT INTO carts (id, user_id) VALUES ('sig-cart', 'own-1')");
  await own.db.query(
    "INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES ('sig-ci', 'sig-cart', 'sig-1', 2)",
  );
}, 240_000);
afterAll(async () => {
  await own?.remove();
  collector?.close();
}, 60_000);

let traces = 0;
const CALLER = 'c0ffee00c0ffee00';
const newTrace = () => `${'ab'.repeat(12)}${String(++traces).padStart(8, '0')}`;
const post = (role: Role, path: string, body: object, traceId: string, flags = '01') =>
  api('POST', path, {
    url: by[role].url,
    body,
    headers: { traceparent: `00-${traceId}-${CALLER}-${flags}`, 'idempotency-key': `key-${traceId.slice(-4)}` },
  });
const received = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
const untilReceived = (traceId: string, ...names: string[]) =>
  eventually(
    async () => received(traceId),
    (spans) => names.every((name) => spans.some((span) => span.name === name)),
    20_000,
  );
/** From a span up to its caller’s: `service name`, the innermost first. */
function ancestry(spans: ReceivedSpan[], span: ReceivedSpan | undefined): string[] {
  if (!span) return [];
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [`${span.service} ${span.name}`, ...(parent ? ancestry(spans, parent) : [`caller ${span.parentSpanId}`])];
}
const logOf = (role: Role) => {
  const file = join(process.env.ONRUSH_DIR ?? '.onrush', 'log', `test-signals-${ROLES.indexOf(role) + 1}.log`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
};

describe('one request’s trace', () => {
  it('of a coupon goes from the caller through API, gatekeeper and consumer, each another process', async () => {
    const traceId = newTrace();
    expect((await post('coupon-api', `/api/coupons/${couponId}/issue`, { userId: 'own-2' }, traceId)).status).toBe(202);
    const topic = own.names.couponTopic;
    const spans = await untilReceived(traceId, 'transaction issue', `consume ${topic}`, 'gate');
    const transaction = spans.find(({ name }) => name === 'transaction issue');
    expect(ancestry(spans, transaction)).toEqual([
      'coupon-consumer transaction issue',
      `coupon-consumer consume ${topic}`,
      `coupon-gatekeeper produce ${topic}`,
      'coupon-api gate',
      'coupon-api POST /api/coupons/:couponId/issue',
      `caller ${CALLER}`,
    ]);
    const waits = spans.map(({ name }) => name);
    expect(waits).toEqual(
      expect.arrayContaining(['wait stream', 'wait topic', 'wait pool', 'lock coupon_row', 'commit']),
    );
    const [row] = (await own.db.query('SELECT * FROM user_coupons WHERE user_id = ?', ['own-2']))[0] as unknown as [
      Record<string, unknown>,
    ];
    const consumed = spans.find(({ name }) => name === `consume ${topic}`);
    expect(consumed?.attributes).toMatchObject({
      'onrush.stream_id': row.stream_id,
      'messaging.destination.partition.id': String(row.topic_partition),
      'messaging.kafka.offset': row.topic_offset,
      'onrush.result': 'issued',
    });
  });

  it('of an order goes through the outbox relay to the ranking', async () => {
    const traceId = newTrace();
    expect((await post('order-api', '/api/orders', { userId: 'own-1' }, traceId)).status).toBe(200);
    const topic = own.names.orderTopic;
    const spans = await untilReceived(traceId, `consume ${topic}`, 'transaction checkout');
    expect(
      ancestry(
        spans,
        spans.find(({ name }) => name === `consume ${topic}`),
      ),
    ).toEqual([
      `projections consume ${topic}`,
      `outbox-relay produce ${topic}`,
      'order-api POST /api/orders',
      `caller ${CALLER}`,
    ]);
    const names = spans.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['wait redlock', 'wait combiner', 'lock user_row', 'commit', 'wait outbox']),
    );
  });

  it('of combined charges ends in one transaction that lies in one trace and is linked from the others', async () => {
    const ids = Array.from({ length: 12 }, newTrace);
    // The row is held, so that they queue behind the first.
    const holder = await own.db.getConnection();
    await holder.beginTransaction();
    await holder.query("SELECT id FROM users WHERE id = 'own-3' FOR UPDATE");
    const charges = ids.map((id) => post('balance-api', '/api/users/own-3/balance/charge', { amount: 1 }, id));
    await eventually(
      async () => (await fetch(`${by['balance-api'].url}/metrics`)).text(),
      (text) => /^onrush_combiner_queue\{combiner="charge"\} [1-9]/m.test(text),
    );
    // Long enough for all of them to have arrived.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await holder.commit();
    holder.release();
    for (const { status } of await Promise.all(charges)) expect(status).toBe(200);
    const name = 'POST /api/users/:userId/balance/charge';
    for (const id of ids) await untilReceived(id, name);
    const all = ids.flatMap(received);
    const transactions = all.filter((span) => span.name === 'transaction charge');
    expect(transactions.reduce((sum, { attributes }) => sum + Number(attributes['onrush.batch_size']), 0)).toBe(12);
    expect(transactions.length).toBeLessThan(12);
    for (const id of ids) {
      const inside = transactions.filter(({ traceId }) => traceId === id);
      const [request] = all.filter((span) => span.traceId === id && span.name === name);
      const linked = request?.links.filter((link) => transactions.some(({ spanId }) => spanId === link.spanId)) ?? [];
      expect(inside.length + linked.length).toBe(1);
    }
  });

  it('is not written where the caller does not record and nothing is wrong', async () => {
    const traceId = newTrace();
    expect((await post('balance-api', '/api/users/own-4/balance/charge', { amount: 1 }, traceId, '00')).status).toBe(
      200,
    );
    const later = newTrace();
    await post('balance-api', '/api/users/own-4/balance/charge', { amount: 1 }, later);
    await untilReceived(later, 'transaction charge');
    // One that takes longer than its objective is only then seen, so this one must have been quick.
    const [slow] = received(traceId).filter(({ attributes }) => attributes['onrush.traced'] !== 'slow');
    expect(slow).toBeUndefined();
  });

  it('of a slow request is written whatever was decided, with what it waited for', async () => {
    const traceId = newTrace();
    const holder = await own.db.getConnection();
    await holder.beginTransaction();
    await holder.query("SELECT id FROM users WHERE id = 'own-5' FOR UPDATE");
    const charge = post('balance-api', '/api/users/own-5/balance/charge', { amount: 1 }, traceId, '00');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await holder.commit();
    holder.release();
    expect((await charge).status).toBe(200);
    const spans = await untilReceived(traceId, 'lock user_row', 'commit');
    const request = spans.find(({ attributes }) => attributes['http.route'] !== undefined);
    expect(request?.attributes).toMatchObject({ 'onrush.traced': 'slow', 'http.response.status_code': 200 });
  });

  it('of a failed request is written whatever was decided, though it was answered before its transaction ended', async () => {
    const traceId = newTrace();
    const holder = await own.db.getConnection();
    await holder.beginTransaction();
    await holder.query("SELECT id FROM users WHERE id = 'own-6' FOR UPDATE");
    const { status, body } = await post('balance-api', '/api/users/own-6/balance/charge', { amount: 1 }, traceId, '00');
    expect([status, body.traceId]).toEqual([503, traceId]);
    await holder.rollback();
    holder.release();
    const spans = await untilReceived(traceId, 'lock user_row');
    const request = spans.find(({ attributes }) => attributes['http.route'] !== undefined);
    expect(request?.attributes).toMatchObject({ 'onrush.traced': 'failed', 'http.response.status_code': 503 });
  });
});

describe('from each role', () => {
  it('spans arrive under its own name', async () => {
    const services = () => new Set(collector.spans.map(({ service }) => service));
    await eventually(
      async () => [...services()],
      (seen) => ROLES.every((role) => seen.includes(role)),
    );
  });

  it.each(ROLES)('metrics arrive (%s)', async (role) => {
    const text = await (await fetch(`${by[role].url}/metrics`)).text();
    const value = (series: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')
          .at(-1),
      );
    expect(text).toMatch(/^onrush_build_info\{version="[\d.]+",node="[\d.]+"\} 1$/m);
    const { couponTopic, orderTopic, consumerGroup, projectionGroup } = own.names;
    const moved: Record<Role, string> = {
      'coupon-api': 'onrush_coupon_admissions_total{result="admitted"}',
      'balance-api': 'onrush_money_won_total{flow="charged"}',
      'order-api': 'onrush_money_won_total{flow="paid"}',
      'coupon-gatekeeper': `onrush_produce_duration_seconds_count{topic="${couponTopic}"}`,
      'coupon-consumer': `onrush_messages_consumed_total{group="${consumerGroup}"}`,
      'outbox-relay': `onrush_produce_duration_seconds_count{topic="${orderTopic}"}`,
      projections: `onrush_messages_consumed_total{group="${projectionGroup}"}`,
    };
    expect([moved[role], value(moved[role])]).toEqual([moved[role], expect.any(Number)]);
    expect(value(moved[role])).toBeGreaterThan(0);
  });

  it.each(ROLES)('logs arrive, in JSON with its name (%s)', (role) => {
    expect(logOf(role)).toContainEqual(expect.objectContaining({ level: 30, role, msg: 'role started' }));
  });

  it('a traced request’s line of log carries its trace id, and only traced ones have one', () => {
    const requests = logOf('balance-api').filter(({ msg }) => msg === 'request');
    const traced = new Set(
      collector.spans.filter(({ service }) => service === 'balance-api').map((span) => span.traceId),
    );
    expect(requests.length).toBeGreaterThan(10);
    for (const { traceId } of requests) expect(traced).toContain(traceId);
  });
});

describe('the lease holder', () => {
  it('alone tells what concerns all: consumer lag, coupons of running sales', async () => {
    const of = async (role: Role) => (await fetch(`${by[role].url}/metrics`)).text();
    const lag = /^onrush_consumer_lag\{.*\} \d+$/m;
    await eventually(
      () => of('coupon-gatekeeper'),
      (text) => lag.test(text) && /onrush_coupon_quantity\{state="issued"\} 1$/m.test(text),
    );
    for (const role of ROLES.filter((role) => role !== 'coupon-gatekeeper')) expect(await of(role)).not.toMatch(lag);
  });
});
