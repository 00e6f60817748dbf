import { redlocked } from '../redlock.ts';
import type { ChargeStrategy } from '../strategy.ts';
import { noLock } from './no-lock.ts';

/**
 * Redlock only: the same transaction as the broken one without a lock, behind a lock on the user in Redis.
 *
 * Right for as long as the lock outlives the work, and Redis outlives the lock. Here both hold, so it passes.
 * Where it breaks: the lock is a lease. A process that is paused for longer than its life (garbage collection, a moved
 * virtual machine, a slow COMMIT) goes on writing when somebody else has the lock, see `redlock-expired`; a Redis that
 * fails over may give it to both; and the package may return one that has already expired (redlock #296). MySQL would
 * not notice any of it. And each charge costs two round trips more, while those who wait ask again and again.
 */
export const redlockOnly: ChargeStrategy = (deps) => {
  const locked = redlocked(deps);
  const charge = noLock(deps);
  return (request, deadline) => locked(`wallet:${request.userId}`, deadline, () => charge(request, deadline));
};
