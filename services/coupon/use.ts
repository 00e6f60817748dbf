import { won } from '../core/money.ts';
import type { Tx } from '../core/mysql.ts';
import type { RefusalCode } from '../core/refusals.ts';

/** What a user's coupon takes off an order, and whether it may. Money is whole won. */
export interface CouponTerms {
  status: 'AVAILABLE' | 'USED';
  discountType: 'FIXED' | 'PERCENT';
  discountValue: number;
  minOrderAmount: number;
  maxDiscountAmount: number | null;
  validFrom: Date;
  validUntil: Date;
}

/**
 * Locks these users' coupons, in order of user and coupon, until the transaction ends, and returns their terms by
 * `user coupon`; those that a user does not have are absent. The coupons' own rows are only read.
 */
export async function lockUserCoupons(
  tx: Tx,
  wanted: { userId: string; couponId: string }[],
): Promise<Map<string, CouponTerms>> {
  const pairs = wanted.map(({ userId, couponId }) => [userId, couponId]);
  const held = await tx.rows<{ user_id: string; coupon_id: string; status: 'AVAILABLE' | 'USED' }>(
    `SELECT user_id, coupon_id, status FROM user_coupons
      WHERE (user_id, coupon_id) IN (?) ORDER BY user_id, coupon_id FOR UPDATE`,
    [pairs],
  );
  if (held.length === 0) return new Map();
  const coupons = await tx.rows<{
    id: string;
    discount_type: 'FIXED' | 'PERCENT';
    discount_value: number;
    min_order_amount: number;
    max_discount_amount: number | null;
    valid_from: Date;
    valid_until: Date;
  }>(
    `SELECT id, discount_type, discount_value, min_order_amount, max_discount_amount, valid_from, valid_until
       FROM coupons WHERE id IN (?)`,
    [[...new Set(held.map((row) => row.coupon_id))]],
  );
  const termsOf = new Map(coupons.map((row) => [row.id, row]));
  return new Map(
    held.flatMap(({ user_id, coupon_id, status }) => {
      const terms = termsOf.get(coupon_id);
      if (!terms) return [];
      return [
        [
          `${user_id} ${coupon_id}`,
          {
            status,
            discountType: terms.discount_type,
            discountValue: won(terms.discount_value),
            minOrderAmount: won(terms.min_order_amount),
            maxDiscountAmount: terms.max_discount_amount === null ? null : won(terms.max_discount_amount),
            validFrom: terms.valid_from,
            validUntil: terms.valid_until,
          },
        ],
      ];
    }),
  );
}

/** The rule by which a coupon may not be used on an order of this total now, or undefined if it may. */
export function couponRefusal(
  coupon: CouponTerms | undefined,
  totalAmount: number,
  now: Date,
): Extract<RefusalCode, 'C002' | 'C003' | 'C004'> | undefined {
  if (coupon?.status !== 'AVAILABLE') return 'C003';
  if (now < coupon.validFrom || now >= coupon.validUntil) return 'C002';
  if (totalAmount < coupon.minOrderAmount) return 'C004';
  return undefined;
}

/** Marks coupons that this transaction has locked as used. */
export async function markUsed(tx: Tx, used: { userId: string; couponId: string }[], now: Date): Promise<void> {
  const result = await tx.write(
    `UPDATE user_coupons SET status = 'USED', used_at = ? WHERE (user_id, coupon_id) IN (?) AND status = 'AVAILABLE'`,
    [now, used.map(({ userId, couponId }) => [userId, couponId])],
  );
  if (result.affectedRows !== used.length)
    throw new Error(`${result.affectedRows} of ${used.length} locked coupons were marked used`);
}
