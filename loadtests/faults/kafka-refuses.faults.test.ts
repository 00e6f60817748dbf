import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigResourceTypes } from 'kafkajs';
import { ROLES } from '../../services/core/config.ts';
import { eventually } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import { type Answered, type Call, figuresOf, issue, order, untilDefinite } from './clients.ts';
import { type JudgedStack, judgedStack, miscounted } from './judged-stack.ts';
import { metric } from './metric.ts';

// With pauses of 0.2, 0.4, 0.8 and 1.6 s between them: long enough for the age of what waits to be seen.
const ATTEMPTS = 5;
let judged: JudgedStack;
let all: Started;
beforeAll(async () => {
  judged = await judgedStack('refuses', 300, { ONRUSH_OUTBOX_ATTEMPTS: String(ATTEMPTS) }, { topics: false });
  all = await judged.start(ROLES);
}, 60_000);
afterAll(() => judged.remove());

/** Runs a program of package.json on this stack. */
function npm(program: string, ...args: string[]): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...judged.own.env } });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out })));
}
const send = (calls: Call[]): Promise<Answered[]> => untilDefinite(calls, () => [all.url]);
let batch = 0;
const orders = (users: number) => {
  batch++;
  return Array.from({ length: users }, (_, n) => order(n + 1, `${batch}-${n}`));
};
const backlog = (status: string) => metric(all, 'onrush_outbox_backlog', { status });
const statuses = (answered: Answered[]) => [...new Set(answered.map(({ answer }) => answer?.status))];

describe('topics that are missing', () => {
  it('cost orders nothing: their events wait, to be seen in the metrics, and go out when the topics are there', async () => {
    const before = await judged.before();
    const answered = await send(orders(50));
    expect(statuses(answered)).toEqual([200]);
    const waiting = () => backlog('PENDING');
    expect((await waiting()) + (await backlog('FAILED'))).toBeLessThanOrEqual(50);
    await eventually(
      async () => (await waiting()) + (await backlog('FAILED')),
      (events) => events === 50,
    );
    // The gate cannot be built, which is not "sold out".
    const refused = await fetch(`${all.url}/api/coupons/test-coupon-1/issue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: 'test-user-1' }),
    });
    expect([
      refused.status,
      refused.headers.get('retry-after'),
      ((await refused.json()) as { code: string }).code,
    ]).toEqual([503, '1', 'C503']);
    expect((await npm('services/database/migrate.ts')).out).toContain('topics created');
    await eventually(waiting, (events) => events === 0, 30_000);
    // Those that had no attempt left wait for a person.
    await npm('services/admin/outbox.ts', '--redrive');
    const promised = await send(
      Array.from({ length: 20 }, (_, n) => issue('test-coupon-1', `test-user-${n + 1}`, `k${n}`)),
    );
    const verdict = await judged.verdict(figuresOf(before, [...answered, ...promised]));
    expect(verdict.reasons).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(await miscounted(judged.own)).toEqual([]);
  });
});

describe('a broker that refuses every message', () => {
  async function setLargestMessage(bytes: number): Promise<void> {
    const admin = judged.own.kafka.admin();
    await admin.connect();
    const { couponTopic, orderTopic } = judged.own.names;
    await admin.alterConfigs({
      validateOnly: false,
      resources: [couponTopic, orderTopic].map((name) => ({
        type: ConfigResourceTypes.TOPIC,
        name,
        configEntries: [{ name: 'max.message.bytes', value: String(bytes) }],
      })),
    });
    // The controller has answered; the broker learns of it a moment later, and of what the logs are told nobody hears.
    await eventually(
      async () => {
        const resources = [couponTopic, orderTopic].map((name) => ({ type: ConfigResourceTypes.TOPIC, name }));
        const described = await admin.describeConfigs({ resources, includeSynonyms: false });
        return described.resources.flatMap(({ configEntries }) =>
          configEntries.filter(({ configName }) => configName === 'max.message.bytes').map((one) => one.configValue),
        );
      },
      (values) => values.length === 2 && values.every((value) => value === String(bytes)),
    );
    await sleep(1_000);
    await admin.disconnect();
  }

  it('leaves coupons promised and orders placed; what waits is counted, given up after so many attempts, and redriven', async () => {
    const before = await judged.before();
    const couponId = await judged.newCoupon(all, 80);
    await setLargestMessage(1);
    const failedBefore = await metric(all, 'onrush_outbox_events_total', { result: 'failed' });
    const answered = await send([
      ...orders(40),
      ...Array.from({ length: 100 }, (_, n) => issue(couponId, `test-user-${n + 1}`, `${couponId}-${n}`)),
    ]);
    expect(answered.filter(({ answer }) => answer?.status === 202)).toHaveLength(80);
    expect(answered.filter(({ answer }) => answer?.body.code === 'C001')).toHaveLength(20);
    await eventually(
      () => metric(all, 'onrush_outbox_oldest_age_seconds'),
      (age) => age > 1,
    );
    // No more than the coupons can wait in the stream; orders in the outbox have attempts that end.
    await eventually(
      () => metric(all, 'onrush_coupon_stream_length'),
      (length) => length === 80,
    );
    // And is told all the time, however often the gatekeeper begins anew.
    for (let looks = 0; looks < 30; looks++) {
      expect(await metric(all, 'onrush_coupon_stream_length')).toBe(80);
      await sleep(100);
    }
    await eventually(
      () => backlog('FAILED'),
      (events) => events === 40,
      60_000,
    );
    const attempts = (await metric(all, 'onrush_outbox_events_total', { result: 'failed' })) - failedBefore;
    expect(attempts).toBe(40 * ATTEMPTS);
    const listed = await npm('services/admin/outbox.ts', '--list', '--limit', '40');
    expect(
      listed.out.match(new RegExp(`ORDER_PLACED +${ATTEMPTS} .* larger than the max message size`, 'g')),
    ).toHaveLength(40);
    expect(listed.out).toContain('40 FAILED, 0 PENDING');

    await setLargestMessage(1_000_000);
    await eventually(
      () => metric(all, 'onrush_coupon_stream_length'),
      (length) => length === 0,
      30_000,
    );
    const given = await judged.verdict(figuresOf(before, answered));
    expect(given.reasons).toEqual(['event-failed: 40 violations']);
    expect(given.verdict).toBe('FAIL');
    expect((await npm('services/admin/outbox.ts', '--redrive')).out).toBe('40 events are PENDING again\n');
    await eventually(
      async () => (await backlog('FAILED')) + (await backlog('PENDING')),
      (events) => events === 0,
      30_000,
    );
    const verdict = await judged.verdict(figuresOf(before, answered));
    expect(verdict.reasons).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(await miscounted(judged.own)).toEqual([]);
  });
});
