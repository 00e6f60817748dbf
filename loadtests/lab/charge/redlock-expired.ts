import { redlocked } from '../redlock.ts';
import type { ChargeStrategy } from '../strategy.ts';
import { noLock } from './no-lock.ts';

/** Shorter than many a transaction under load; stands for a pause of seconds and a lock of seconds. Milliseconds. */
const LIFE = 5;

/**
 * Broken: Redlock only, with a lock that may be gone before the work is done.
 *
 * Nothing fails when a lease runs out: the holder is not told, the next one gets the lock, and both write what they have
 * computed. Any life is too short for some pause; this one is short enough to see it within a second.
 */
export const redlockExpired: ChargeStrategy = (deps) => {
  const locked = redlocked(deps, { life: LIFE });
  const charge = noLock(deps);
  return (request, deadline) => locked(`wallet:${request.userId}`, deadline, () => charge(request, deadline));
};
