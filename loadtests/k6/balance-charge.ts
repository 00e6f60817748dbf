// Charges from many phones: ten wallets at first, then a hundred.
// BASE_URL=http://127.0.0.1:8081 PROFILE=quick k6 run loadtests/k6/balance-charge.ts
import { sleep } from 'k6';
import { charge, randomAmount } from './lib/charge.ts';
import { PROFILE, SECONDS } from './lib/environment.ts';
import { optionsFor } from './lib/options.ts';
import { PAUSES } from './lib/pauses.ts';
import { phasesOf } from './lib/phases.ts';
import { GRACE, inSequence, rateOfPauses } from './lib/profiles.ts';
import { randomUser } from './lib/users.ts';

export { handleSummary } from './lib/end.ts';

const PAUSE = PAUSES.charge;
/** Wallets that a saturate run charges: 10 is hot, 10000 is spread. */
const WALLETS = Number(__ENV.WALLETS || 10);

const phases = phasesOf([
  { exec: 'tenWallets', startVus: 100, stages: [{ seconds: 60, vus: 100 }] },
  {
    exec: 'hundredWallets',
    startVus: 1,
    stages: [
      { seconds: 20, vus: 50 },
      { seconds: 20, vus: 100 },
      { seconds: 20, vus: 150 },
      { seconds: 30, vus: 150 },
      { seconds: 10, vus: 0 },
    ],
  },
]);

const fullStretch = {
  executor: 'constant-vus' as const,
  exec: 'chargeAtFullStretch',
  vus: 100,
  duration: `${SECONDS}s`,
  gracefulStop: GRACE,
};

export const options =
  PROFILE === 'saturate'
    ? optionsFor({ fullStretch }, { charge: {} })
    : optionsFor(inSequence(phases), { charge: { rateOfPauses: rateOfPauses(phases, PAUSE) } });

export function tenWallets(): void {
  charge(randomUser(10), randomAmount());
  sleep(PAUSE);
}

export function hundredWallets(): void {
  charge(randomUser(100), randomAmount());
  sleep(PAUSE);
}

export function chargeAtFullStretch(): void {
  charge(randomUser(WALLETS), randomAmount());
}
