// Whole visits, all at once: get the coupon, fill the cart, charge the wallet, order with that coupon, look at it; others
// browse meanwhile.
// BASE_URL=http://127.0.0.1:8081 PROFILE=quick k6 run loadtests/k6/journey.ts
import { sleep } from 'k6';
import http from 'k6/http';
import { Counter } from 'k6/metrics';
import type { AddItemRequest } from '../../services/cart/contract.ts';
import { charge } from './lib/charge.ts';
import { issueAndRead, issueStatus } from './lib/coupon.ts';
import { BASE_URL, COUPON } from './lib/environment.ts';
import { optionsFor, readsMustAnswer } from './lib/options.ts';
import { order } from './lib/order.ts';
import { phasesOf } from './lib/phases.ts';
import { inSequence } from './lib/profiles.ts';
import { read } from './lib/read.ts';
import { nextUserFromTheEnd, randomUser } from './lib/users.ts';

export { handleSummary } from './lib/end.ts';

const visits = (exec: string, vus: number) =>
  inSequence(
    phasesOf([
      {
        exec,
        startVus: 1,
        stages: [
          { seconds: 20, vus },
          { seconds: 60, vus },
          { seconds: 10, vus: 0 },
        ],
      },
    ]),
  );

const withoutTargets = optionsFor(
  { ...visits('buy', 40), ...visits('browse', 20) },
  { coupon: {}, charge: {}, order: {} },
);
export const options = { ...withoutTargets, thresholds: { ...withoutTargets.thresholds, ...readsMustAnswer } };

/** Visits in which the coupon was promised and the order that names it was paid with its discount. */
const discounted = new Counter('order_discounted');

export function buy(): void {
  const userId = nextUserFromTheEnd();
  const promised = issueAndRead(userId) !== undefined;
  addToCart({ userId, productId: `test-product-${1 + Math.floor(Math.random() * 10)}`, quantity: 1 });
  charge(userId, 50_000);
  const couponId = promised && untilIssued(userId) ? COUPON : undefined;
  const placed = order(userId, couponId);
  if (placed && placed.discountAmount > 0) discounted.add(1);
  if (placed) read(`/api/orders/${placed.orderId}`);
  read(`/api/users/${userId}/balance`);
  read(`/api/users/${userId}/coupons?status=USED`);
  sleep(0.5);
}

/** The promise becomes a coupon within a second; the visitor looks a few times. */
function untilIssued(userId: string): boolean {
  for (let look = 0; look < 20; look++) {
    const status = issueStatus(userId);
    if (status !== 'pending') return status === 'issued';
    sleep(0.1);
  }
  return false;
}

/** Takes no key: one that is repeated adds again, which is no harm here. */
function addToCart(item: AddItemRequest): void {
  http.post(`${BASE_URL}/api/cart/items`, JSON.stringify(item), {
    headers: { 'Content-Type': 'application/json' },
    tags: { name: 'cart' },
  });
}

export function browse(): void {
  read('/api/products?page=1&limit=10');
  read('/api/products/popular?days=3&limit=5');
  read(`/api/products/test-product-${1 + Math.floor(Math.random() * 10)}/stock`);
  read(`/api/cart?userId=${randomUser()}`);
  sleep(0.2);
}
