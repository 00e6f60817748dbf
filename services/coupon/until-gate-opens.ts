import type { Redis } from 'ioredis';
import type { Names } from '../core/names.ts';

/** How long the answer to a coupon's creation waits for its gate. Milliseconds. */
const PATIENCE = 2_000;

/**
 * Asks for a new coupon's gate and waits a moment for it, so that the first request is not told to come back. If
 * Redis or the gatekeeper is away the coupon exists all the same and the first request asks again.
 */
export async function untilGateOpens(redis: Redis, names: Names, couponId: string): Promise<void> {
  const until = Date.now() + PATIENCE;
  try {
    await redis.sadd(names.rebuildRequests, couponId);
    while (Date.now() < until && (await redis.exists(names.gate(couponId))) === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
  } catch {
    // The first request will ask.
  }
}
