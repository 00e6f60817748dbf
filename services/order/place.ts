import { Coalescer } from '../core/coalesce.ts';
import { Combiner } from '../core/combiner.ts';
import type { Config } from '../core/config.ts';
import { crashPoint } from '../core/crash-point.ts';
import { newId } from '../core/ids.ts';
import type { Metrics } from '../core/metrics.ts';
import type { WritePool } from '../core/mysql.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { RequestTrace } from '../core/tracing/request-trace.ts';
import { Unavailable } from '../core/unavailable.ts';
import { checkoutAll } from './checkout.ts';
import type { OrderRequest, OrderResponse } from './contract.ts';
import { LatelyWanted } from './lately-wanted.ts';
import type { Checkout } from './new-order.ts';
import type { OrderLock } from './order-lock.ts';
import { findOrders } from './replay.ts';

export interface PlaceDeps {
  config: Config;
  pool: WritePool;
  metrics: Metrics;
  lock: OrderLock;
}

/** How often a request looks whether the order that runs under its key has ended. Milliseconds. */
const LOOK = 20;

/**
 * Places orders: one at a time for a user (O409 for the second), combined with other users' into one transaction where
 * they arrive together. A request whose key is running in another process waits for that one's answer.
 */
export function orderPlacer({ config, pool, metrics, lock }: PlaceDeps) {
  const settings = { cartAfterOrder: config.cartAfterOrder, lately: new LatelyWanted() };
  const combiner = new Combiner<Checkout, Outcome<OrderResponse>>({
    operation: 'checkout',
    lanes: config.checkoutLanes,
    maxBatch: config.maxBatch,
    maxQueue: config.maxQueue,
    maxWaitMs: config.maxWaitMs,
    laneKey: ({ userId }) => userId,
    onePerKey: true,
    run: (checkouts, deadline, record) => checkoutAll(pool, settings, checkouts, deadline, record),
    isShared: (error) => error instanceof Unavailable,
    onBatch: (size) => metrics.batchSize.observe({ combiner: 'checkout' }, size),
    onQueue: metrics.queueOf('checkout'),
    onWait: (milliseconds) => metrics.locks.waited('combiner', milliseconds),
  });
  const running = new Coalescer<OrderResponse>();

  return ({ userId, couponId }: OrderRequest, key: string | undefined, deadline: number, trace?: RequestTrace) => {
    if (key === undefined)
      return placeLocked({ userId, couponId, key: newId('auto'), trace: trace?.recorded }, undefined, deadline, trace);
    return running.run(`${userId} ${key}`, couponId ?? '', () =>
      placeLocked({ userId, couponId, key, trace: trace?.recorded }, key, deadline, trace),
    );
  };

  async function placeLocked(
    checkout: Checkout,
    key: string | undefined,
    deadline: number,
    trace: RequestTrace | undefined,
  ): Promise<Outcome<OrderResponse>> {
    // Before Redis is asked for the lock.
    combiner.assertRoom(checkout);
    for (let again = false; ; again = true) {
      const asked = performance.now();
      const held = await lock.acquire(checkout.userId, key, again);
      const answered = performance.now();
      trace?.note('wait redlock', asked, { 'onrush.lock': held.state });
      if (held.state !== 'busy') {
        try {
          const outcome = await combiner.submit(checkout, deadline, trace);
          crashPoint('order:committed');
          if (outcome.ok && !outcome.replayed) {
            metrics.moved.paid.inc(outcome.value.finalAmount);
            metrics.moved.discounted.inc(outcome.value.discountAmount);
          }
          return outcome;
        } finally {
          await lock.release(held);
          if (held.state === 'held') metrics.locks.held('redlock', performance.now() - answered);
        }
      }
      if (key === undefined) return refuse('O409');
      const runsUnderKey = await lock.runsUnder(checkout.userId, key);
      // Looked up after the lock, so that an order which ended in between is found.
      const replay = await replayed(checkout, deadline);
      if (replay) return replay;
      if (!runsUnderKey) return refuse('O409');
      if (Date.now() + LOOK > deadline) throw new Unavailable('COMMON504');
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  async function replayed(checkout: Checkout, deadline: number): Promise<Outcome<OrderResponse> | undefined> {
    const placed = (await pool.read(deadline, findOrders([checkout]))).get(`${checkout.userId} ${checkout.key}`);
    if (!placed) return undefined;
    if (placed.couponId !== (checkout.couponId ?? null)) return refuse('I422', { field: 'couponId' });
    return { ok: true, value: placed.answer, replayed: true };
  }
}
