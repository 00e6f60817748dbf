import type { CouponStrategy } from '../strategy.ts';
import { accepted, answerWithoutIssuing, countCoupon, insertCoupon, lockCoupon, readAsker } from './coupon.ts';

/**
 * Row lock: each request locks the coupon's row, looks, issues and commits. The 202 is a coupon already.
 *
 * Right: one row decides, and it is locked from the look to the commit; nobody is promised what he does not get. There
 * is nothing but MySQL to fail.
 * Where it ends: all requests of a drop stand in one line, those that will be told "sold out" too, and while they stand
 * they hold the connections that everybody else needs. A commit each is the ceiling.
 */
export const rowLock: CouponStrategy =
  ({ pool, metrics }) =>
  (request, deadline) =>
    pool.transaction(deadline, async (tx) => {
      const asked = performance.now();
      const coupon = await lockCoupon(tx, request.couponId);
      metrics.locks.waited('coupon_row', performance.now() - asked);
      const answer = answerWithoutIssuing(request, coupon, await readAsker(tx.rows, request));
      if (answer) return answer;
      await insertCoupon(tx, request);
      await countCoupon(tx, request.couponId);
      return accepted(request, (coupon?.issued ?? 0) + 1);
    });
