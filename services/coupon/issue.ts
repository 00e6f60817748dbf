import type { Redis } from 'ioredis';
import { crashPoint } from '../core/crash-point.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { RequestTrace } from '../core/tracing/request-trace.ts';
import type { Models } from '../database/models.ts';
import type { IssueResponse } from './contract.ts';
import type { Gate } from './gate.ts';

export interface IssueDeps {
  gate: Gate;
  models: Models;
  redis: Redis;
  names: Names;
  metrics: Metrics;
}

/**
 * Asks the gate for one coupon. `ok` is a promise, kept by the consumer. MySQL is asked only when the gate is not
 * loaded, to tell a coupon that does not exist from one whose gate must be rebuilt.
 */
export async function issue(
  deps: IssueDeps,
  couponId: string,
  userId: string,
  key: string | undefined,
  trace?: RequestTrace,
): Promise<Outcome<IssueResponse>> {
  const asked = performance.now();
  const admission = await deps.gate.admit(couponId, userId, key ?? '', trace);
  crashPoint('issue:gate-answered');
  deps.metrics.gate.observe((performance.now() - asked) / 1000);
  deps.metrics.admitted[admission.result].inc();
  switch (admission.result) {
    case 'admitted':
    case 'replayed':
      return {
        ok: true,
        replayed: admission.result === 'replayed',
        value: { queued: true, message: 'your coupon is on its way', queueSize: admission.promised, couponId, userId },
      };
    case 'already':
      return refuse('C006');
    case 'outside_period':
      return refuse('C002');
    case 'sold_out':
      return refuse('C001');
    case 'not_loaded':
      return whyClosed(deps, couponId);
  }
}

const lookups = new Map<string, Promise<boolean>>();
/** How long an answer to "is there such a coupon" serves everybody who asks. Milliseconds. */
const LOOKUP_LIFE = 500;

async function whyClosed({ models, redis, names }: IssueDeps, couponId: string): Promise<Outcome<IssueResponse>> {
  let lookup = lookups.get(couponId);
  if (!lookup) {
    lookup = askForRebuild(models, redis, names, couponId);
    lookups.set(couponId, lookup);
    const forget = () => lookups.delete(couponId);
    lookup.then(() => setTimeout(forget, LOOKUP_LIFE).unref(), forget);
  }
  return refuse((await lookup) ? 'C503' : 'C404');
}

/** True if the coupon exists; its gate is then asked to be rebuilt. */
async function askForRebuild(models: Models, redis: Redis, names: Names, couponId: string): Promise<boolean> {
  const exists = (await models.coupons.count({ where: { id: couponId } })) > 0;
  if (exists) await redis.sadd(names.rebuildRequests, couponId);
  return exists;
}
