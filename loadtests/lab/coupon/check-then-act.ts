import type { CouponStrategy } from '../strategy.ts';
import { accepted, answerWithoutIssuing, countCoupon, insertCoupon, readAsker, readCoupon } from './coupon.ts';

/**
 * Broken: check, then act. The same statements as the row lock's, without FOR UPDATE.
 *
 * Everything is checked, and everything may have changed when it is acted upon: the last coupon goes to all who looked
 * before the first of them committed, and a user who asks twice at once gets two. The counter itself is right (it is
 * added to in one statement), so that a look at the totals shows nothing but a number above its limit. Until the coupon
 * runs out or somebody is impatient, a load test of this passes.
 */
export const checkThenAct: CouponStrategy =
  ({ pool, metrics }) =>
  (request, deadline) =>
    pool.transaction(deadline, async (tx) => {
      const coupon = await readCoupon(tx.rows, request.couponId);
      const answer = answerWithoutIssuing(request, coupon, await readAsker(tx.rows, request));
      if (answer) return answer;
      await insertCoupon(tx, request);
      // This statement waits for the others' row lock, but what it depends on was looked at before.
      const asked = performance.now();
      await countCoupon(tx, request.couponId);
      metrics.locks.waited('coupon_row', performance.now() - asked);
      return accepted(request, (coupon?.issued ?? 0) + 1);
    });
