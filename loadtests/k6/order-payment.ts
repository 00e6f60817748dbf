// Checkouts: random users order and pay the three products in their carts. The carts are kept (ONRUSH_CART_AFTER_ORDER=keep),
// so that a user drawn twice orders twice.
// BASE_URL=http://127.0.0.1:8081 PROFILE=quick k6 run loadtests/k6/order-payment.ts
import { sleep } from 'k6';
import { PROFILE, SECONDS } from './lib/environment.ts';
import { optionsFor } from './lib/options.ts';
import { order } from './lib/order.ts';
import { PAUSES } from './lib/pauses.ts';
import { phasesOf } from './lib/phases.ts';
import { GRACE, inSequence, rateOfPauses } from './lib/profiles.ts';
import { nextUser, randomUser } from './lib/users.ts';

export { handleSummary } from './lib/end.ts';

const PAUSE = PAUSES.order;

const phases = phasesOf([
  {
    exec: 'checkout',
    startVus: 1,
    stages: [
      { seconds: 20, vus: 50 },
      { seconds: 20, vus: 100 },
      { seconds: 70, vus: 100 },
      { seconds: 10, vus: 0 },
    ],
  },
]);

const fullStretch = {
  executor: 'constant-vus' as const,
  exec: 'checkoutAtFullStretch',
  vus: 100,
  duration: `${SECONDS}s`,
  gracefulStop: GRACE,
};

export const options =
  PROFILE === 'saturate'
    ? optionsFor({ fullStretch }, { order: {} })
    : optionsFor(inSequence(phases), { order: { rateOfPauses: rateOfPauses(phases, PAUSE) } });

export function checkout(): void {
  order(randomUser());
  sleep(PAUSE);
}

export function checkoutAtFullStretch(): void {
  order(nextUser());
}
