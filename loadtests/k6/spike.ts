// The minute when everybody arrives: near idle, full within two seconds, held, and back. Coupons, charges and orders at once.
// BASE_URL=http://127.0.0.1:8081 PROFILE=quick k6 run loadtests/k6/spike.ts
import { sleep } from 'k6';
import { charge, randomAmount } from './lib/charge.ts';
import { issue } from './lib/coupon.ts';
import { GIVEN_SECONDS, PROFILE } from './lib/environment.ts';
import { optionsFor } from './lib/options.ts';
import { order } from './lib/order.ts';
import { GRACE } from './lib/profiles.ts';
import { randomUser } from './lib/users.ts';

export { handleSummary } from './lib/end.ts';

/** Seconds near idle and at full load; the edges between them stay at two seconds whatever the profile. */
const [idle, full] = PROFILE === 'published' ? [15, 60] : PROFILE === 'smoke' ? [1, GIVEN_SECONDS ?? 5] : [5, 16];

const spike = (exec: string, idleVus: number, fullVus: number) => ({
  executor: 'ramping-vus' as const,
  exec,
  startVUs: idleVus,
  stages: [
    { duration: `${idle}s`, target: idleVus },
    { duration: '2s', target: fullVus },
    { duration: `${full}s`, target: fullVus },
    { duration: '2s', target: idleVus },
    { duration: `${idle}s`, target: idleVus },
  ],
  gracefulRampDown: GRACE,
  gracefulStop: GRACE,
});

export const options = optionsFor(
  {
    drop: spike('drop', 2, 150),
    wallets: spike('wallets', 1, 30),
    checkouts: spike('checkouts', 1, 60),
  },
  { coupon: {}, charge: {}, order: {} },
);

export function drop(): void {
  issue(randomUser());
  sleep(0.15);
}

export function wallets(): void {
  charge(randomUser(100), randomAmount());
  sleep(0.03);
}

export function checkouts(): void {
  order(randomUser());
  sleep(0.5);
}
