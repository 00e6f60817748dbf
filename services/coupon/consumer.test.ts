import { setTimeout as sleep } from 'node:timers/promises';
import { openProxy, type TcpProxy } from '../../loadtests/faults/proxy.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import type { Started } from '../../loadtests/test/start-services.ts';

/** The consumer alone reaches Redis through a proxy. */
const { api } = stack();
let own: OwnStack;
let proxy: TcpProxy;
let coupons: Started;
beforeAll(async () => {
  own = await ownStack('withdraw', { users: 10, topics: true });
  const throughProxy = new URL(own.config.redisUrl);
  proxy = await openProxy(Number(throughProxy.port));
  throughProxy.hostname = '127.0.0.1';
  throughProxy.port = String(proxy.port);
  coupons = await own.start({ ROLES: 'coupon-api,coupon-gatekeeper' });
  await own.start({ ROLES: 'coupon-consumer', REDIS_URL: throughProxy.href });
}, 60_000);
afterAll(async () => {
  await own.remove();
  await proxy.close();
}, 60_000);

const issue = (couponId: string, userId: string) =>
  api('POST', `/api/coupons/${couponId}/issue`, { url: coupons.url, body: { userId } });

it('the place of a rejected promise is given back although the consumer’s Redis was away for a moment', async () => {
  const { body } = await api('POST', '/api/coupons', {
    url: coupons.url,
    body: {
      name: 'Withdrawn',
      discountType: 'FIXED',
      discountValue: 1,
      totalQuantity: 1,
      validFrom: new Date(Date.now() - 3_600_000).toISOString(),
      validUntil: new Date(Date.now() + 3_600_000).toISOString(),
    },
  });
  const coupon: string = body.couponId;
  await proxy.refuse();
  proxy.resetAll();
  expect((await issue(coupon, 'nobody')).status).toBe(202);
  await eventually(
    () => own.value('SELECT COUNT(*) FROM coupon_rejections WHERE coupon_id = ?', [coupon]),
    (count) => count === 1,
    20_000,
  );
  // The withdrawal follows the commit at once, and cannot be made.
  await sleep(500);
  expect(await own.redis.hkeys(own.names.admitted(coupon))).toEqual(['nobody']);
  await proxy.pass();
  await eventually(
    () => own.redis.hkeys(own.names.admitted(coupon)),
    (promised) => promised.length === 0,
  );
  expect((await issue(coupon, 'own-1')).status).toBe(202);
  await eventually(
    () => own.value('SELECT COUNT(*) FROM user_coupons WHERE coupon_id = ?', [coupon]),
    (count) => count === 1,
  );
  // However often it was tried, one promise was rejected.
  expect(await own.value('SELECT COUNT(*) FROM coupon_rejections WHERE coupon_id = ?', [coupon])).toBe(1);
}, 60_000);
