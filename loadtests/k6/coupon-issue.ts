// The coupon drop: random users ask for one coupon.
// BASE_URL=http://127.0.0.1:8081 PROFILE=quick k6 run loadtests/k6/coupon-issue.ts
import { sleep } from 'k6';
import { issue } from './lib/coupon.ts';
import { PROFILE, SECONDS } from './lib/environment.ts';
import { optionsFor } from './lib/options.ts';
import { PAUSES } from './lib/pauses.ts';
import { phasesOf } from './lib/phases.ts';
import { GRACE, inSequence, rateOfPauses } from './lib/profiles.ts';
import { nextUser, randomUser } from './lib/users.ts';

export { handleSummary } from './lib/end.ts';

const PAUSE = PAUSES.coupon;

const phases = phasesOf([
  {
    exec: 'drop',
    startVus: 1,
    stages: [
      { seconds: 15, vus: 50 },
      { seconds: 90, vus: 50 },
      { seconds: 15, vus: 200 },
      { seconds: 30, vus: 200 },
      { seconds: 15, vus: 0 },
    ],
  },
]);

/** Each user once, so that every answer is an acceptance: as long as there are users left. */
const everyUserOnce = {
  executor: 'constant-vus' as const,
  exec: 'dropAtFullStretch',
  vus: 200,
  duration: `${SECONDS}s`,
  gracefulStop: GRACE,
};

export const options =
  PROFILE === 'saturate'
    ? optionsFor({ everyUserOnce }, { coupon: {} })
    : optionsFor(inSequence(phases), { coupon: { rateOfPauses: rateOfPauses(phases, PAUSE) } });

export function drop(): void {
  issue(randomUser());
  sleep(PAUSE);
}

export function dropAtFullStretch(): void {
  issue(nextUser());
}
