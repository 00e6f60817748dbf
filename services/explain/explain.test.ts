import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import type { Started } from '../../loadtests/test/start-services.ts';

const { api } = stack();
let own: OwnStack;
let services: Started;
let directory: string;
let couponId: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'onrush-traces-'));
  own = await ownStack('explain', { users: 20, topics: true });
  services = await own.start({ ONRUSH_TRACES: 'file', ONRUSH_TRACE_RATIO: '0', ONRUSH_TRACE_DIR: directory });
  const { body } = await api('POST', '/api/coupons', {
    url: services.url,
    body: {
      name: 'Explain',
      discountType: 'FIXED',
      discountValue: 1,
      totalQuantity: 10,
      validFrom: new Date(Date.now() - 3_600_000).toISOString(),
      validUntil: new Date(Date.now() + 3_600_000).toISOString(),
    },
  });
  couponId = body.couponId;
}, 60_000);
afterAll(async () => {
  await own?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const post = (path: string, body: object, key: string, traceparent?: string) =>
  api('POST', path, {
    url: services.url,
    body,
    headers: { 'idempotency-key': key, ...(traceparent ? { traceparent } : {}) },
  });
function explain(asked: string): { code: number | null; text: string } {
  const program = ['--disable-warning=ExperimentalWarning', 'services/explain/explain.ts', asked];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    env: { ...process.env, ...own.env, ONRUSH_TRACE_DIR: directory },
    encoding: 'utf8',
  });
  return { code: status, text: stdout + stderr };
}
/** Spans are written a second after the request. */
const untilExplained = (asked: string, ...patterns: RegExp[]) =>
  eventually(
    async () => explain(asked).text,
    (text) => patterns.every((pattern) => pattern.test(text)),
    20_000,
  );

describe('explain', () => {
  it('tells by its key why a combined charge was slow: the wait, the row’s lock, the shared transaction, its row', async () => {
    const holder = await own.db.getConnection();
    await holder.beginTransaction();
    await holder.query("SELECT id FROM users WHERE id = 'own-1' FOR UPDATE");
    const charges = Array.from({ length: 6 }, (_, n) =>
      post('/api/users/own-1/balance/charge', { amount: 5 }, `slow-${n}`),
    );
    await new Promise((resolve) => setTimeout(resolve, 600));
    await holder.commit();
    holder.release();
    await Promise.all(charges);
    const stories = await Promise.all(
      charges.map((_, n) =>
        untilExplained(`slow-${n}`, /transaction charge/, new RegExp(`idempotency_key=slow-${n} `)),
      ),
    );
    for (const story of stories) {
      expect(story).toMatch(/POST \/api\/users\/:userId\/balance\/charge +→ 200 · \(slow\) · user own-1 · key slow-/);
      expect(story).toMatch(/wait combiner/);
      expect(story).toMatch(/batch of \d+ · committed/);
      expect(story).toMatch(/lock user_row/);
      expect(story).toMatch(/ {2}commit/);
      expect(story).toMatch(/until the answer: (lock user_row|wait combiner) [4-9]\d\d\.\d ms/);
      expect(story).toMatch(/balance_charge_history +user_id=own-1 balance_version=\d+ amount=5 /);
    }
    // One of them holds the transaction, the others are told where theirs lies.
    const combined = stories.filter((story) => /batch of [2-6]/.test(story));
    expect(combined.some((story) => story.includes('shared with other requests'))).toBe(true);
    expect(combined.some((story) => !story.includes('shared with other requests'))).toBe(true);
  });

  it('tells by its trace id how a coupon went: gate, stream id, partition and offset, row', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await post(
      `/api/coupons/${couponId}/issue`,
      { userId: 'own-2' },
      'coupon-key',
      `00-${traceId}-b7ad6b7169203331-01`,
    );
    const text = await untilExplained(traceId, /transaction issue/, /user_coupons/);
    const [rows] = await own.db.query('SELECT * FROM user_coupons WHERE user_id = ?', ['own-2']);
    const [row] = rows as { stream_id: string; topic_partition: number; topic_offset: number }[];
    expect(text).toMatch(new RegExp(`gate +admitted · stream id ${row?.stream_id}`));
    expect(text).toMatch(new RegExp(`partition ${row?.topic_partition} · offset ${row?.topic_offset} · → issued`));
    expect(text).toMatch(
      new RegExp(`user_coupons +.*stream_id=${row?.stream_id} topic_partition=${row?.topic_partition} `),
    );
    for (const part of ['wait stream', 'produce ', 'wait topic', 'wait pool', 'lock coupon_row', 'commit'])
      expect(text).toContain(part);
    expect(text).toMatch(/until the answer: gate \d+\.\d ms/);
    expect(text).toMatch(/after it: .*wait topic \d/);
  });

  it('shows the rows of a request that left no spans, and says so', async () => {
    await post('/api/users/own-3/balance/charge', { amount: 7 }, 'quick-key');
    const { code, text } = explain('quick-key');
    expect(code).toBe(0);
    expect(text).toMatch(/balance_charge_history +user_id=own-3 .*amount=7 /);
    // On a busy machine it may have been slow; then there are spans.
    if (!text.includes('(slow)')) expect(text).toContain('was not sampled, was fast and did not fail');
  });

  it('knows nothing of what never was', () => {
    expect(explain('never-was')).toEqual({ code: 1, text: 'nothing is known of "never-was"\n' });
    expect(explain('f'.repeat(32)).code).toBe(1);
  });
});
