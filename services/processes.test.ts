import { readFileSync } from 'node:fs';
import { parseExposition, sum } from '../loadtests/bench/exposition.ts';
import { type OwnStack, ownStack } from '../loadtests/test/own-stack.ts';
import { eventually, stack } from '../loadtests/test/stack.ts';
import type { Started } from '../loadtests/test/start-services.ts';

/** Two API processes on one port, and the background roles in a process of their own. */
const { api } = stack();
let own: OwnStack;
let started: Started;
beforeAll(async () => {
  own = await ownStack('processes', { users: 20, topics: true });
  started = await own.start({ WORKERS: '2', ONRUSH_BACKGROUND: 'apart' });
}, 60_000);
afterAll(() => own.remove());

/** Of the processes that the started one supervises, by pid; Linux says who they are. */
const children = (): number[] => {
  const { pid } = started.child;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
};
const metrics = async () => parseExposition(await (await fetch(`${started.url}/metrics`)).text());
const newCoupon = async (): Promise<string> => {
  const { body } = await api('POST', '/api/coupons', {
    url: started.url,
    body: {
      name: 'Apart',
      discountType: 'FIXED',
      discountValue: 1,
      totalQuantity: 10,
      validFrom: new Date(Date.now() - 3_600_000).toISOString(),
      validUntil: new Date(Date.now() + 3_600_000).toISOString(),
    },
  });
  return body.couponId;
};
const issued = (couponId: string) => own.value('SELECT COUNT(*) FROM user_coupons WHERE coupon_id = ?', [couponId]);
const ask = async (couponId: string, user: number) =>
  (await api('POST', `/api/coupons/${couponId}/issue`, { url: started.url, body: { userId: `own-${user}` } })).status;

it('a coupon that an API process promises is issued by the one apart, and one answer tells the figures of all', async () => {
  expect(children()).toHaveLength(3);
  const couponId = await newCoupon();
  await eventually(
    () => ask(couponId, 1),
    (status) => status === 202,
    15_000,
  );
  await eventually(
    () => issued(couponId),
    (count) => count === 1,
    15_000,
  );
  const reading = await metrics();
  expect(sum(reading, 'onrush_coupon_admissions_total', { result: 'admitted' })).toBe(1);
  expect(sum(reading, 'onrush_coupons_issued_total', { result: 'issued' })).toBe(1);
}, 60_000);

it('the one apart is replaced when it ends, and no request is asked of it', async () => {
  const couponId = await newCoupon();
  const before = children();
  // It was started last.
  const apart = Math.max(...before);
  process.kill(apart, 'SIGKILL');
  const statuses = await Promise.all(Array.from({ length: 40 }, () => fetch(`${started.url}/api/products`)));
  expect(statuses.map(({ status }) => status)).toEqual(Array(40).fill(200));
  await eventually(
    async () => children(),
    (now) => now.length === 3 && !now.includes(apart),
    15_000,
  );
  expect(children().filter((pid) => before.includes(pid))).toHaveLength(2);
  await eventually(
    () => ask(couponId, 2),
    (status) => status === 202,
    20_000,
  );
  await eventually(
    () => issued(couponId),
    (count) => count === 1,
    20_000,
  );
  expect(await started.stop()).toBe(0);
}, 90_000);

it('an API process without others takes its connections itself, and is replaced when it ends', async () => {
  started = await own.start({ WORKERS: '1', ONRUSH_BACKGROUND: 'apart' });
  const status = async () =>
    (
      await fetch(`${started.url}/api/products`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(2_000),
      })
    ).status;
  const supervisor = started.child.pid as number;
  process.kill(supervisor, 'SIGSTOP');
  try {
    expect(await status()).toBe(200);
  } finally {
    process.kill(supervisor, 'SIGCONT');
  }
  const before = children();
  expect(before).toHaveLength(2);
  // It was started first.
  const serving = Math.min(...before);
  process.kill(serving, 'SIGKILL');
  await eventually(
    async () => children(),
    (now) => now.length === 2 && !now.includes(serving),
    15_000,
  );
  await eventually(
    () => status().catch(() => 0),
    (answer) => answer === 200,
    15_000,
  );
  expect(await started.stop()).toBe(0);
}, 90_000);
