import type { CouponTerms } from './use.ts';

/**
 * What a coupon that may be used takes off an order of `orderAmount`, in whole won: never more than the order itself,
 * nor than the coupon's own cap.
 */
export function discountOf(
  {
    discountType,
    discountValue,
    maxDiscountAmount,
  }: Pick<CouponTerms, 'discountType' | 'discountValue' | 'maxDiscountAmount'>,
  orderAmount: number,
): number {
  const full = discountType === 'FIXED' ? discountValue : percentOf(orderAmount, discountValue);
  return Math.min(full, orderAmount, maxDiscountAmount ?? Number.POSITIVE_INFINITY);
}

/**
 * ⌊amount × percent ÷ 100⌋ for 0 to 100 percent. The product itself may exceed 2^53 and be rounded, so whole hundreds
 * and their remainder are taken apart: neither part can.
 */
const percentOf = (amount: number, percent: number): number =>
  Math.floor(amount / 100) * percent + Math.floor(((amount % 100) * percent) / 100);
