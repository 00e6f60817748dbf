import { won } from '../core/money.ts';
import { locking, type Query, query, type Statement, writing } from '../core/mysql.ts';
import type { RefusalCode } from '../core/refusals.ts';
import type { CouponRow } from '../database/models.ts';

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

/** A user's coupon, without its terms. */
export interface HeldCoupon {
  userId: string;
  couponId: string;
  status: 'AVAILABLE' | 'USED';
}

/** Locks these users' coupons, in order of user and coupon, until the transaction ends. */
export const lockUserCoupons = (wanted: { userId: string; couponId: string }[]): Statement<HeldCoupon[]> =>
  locking(
    `SELECT user_id, coupon_id, status FROM user_coupons FORCE INDEX (PRIMARY)
      WHERE (user_id, coupon_id) IN (?) ORDER BY user_id, coupon_id FOR UPDATE`,
    [wanted.map(({ userId, couponId }) => [userId, couponId])],
    (rows: { user_id: string; coupon_id: string; status: 'AVAILABLE' | 'USED' }[]) =>
      rows.map((row) => ({ userId: row.user_id, couponId: row.coupon_id, status: row.status })),
  );

/** Reads coupons by id. Their rows are not locked: issuing updates them all the time. */
export const readTerms = (couponIds: string[]): Query<Map<string, Omit<CouponTerms, 'status'>>> =>
  query(
    `SELECT id, discount_type, discount_value, min_order_amount, max_discount_amount, valid_from, valid_until
       FROM coupons WHERE id IN (?)`,
    [couponIds],
    (rows: TermsRow[]) =>
      new Map(
        rows.map((row) => [
          row.id,
          {
            discountType: row.discount_type,
            discountValue: won(row.discount_value),
            minOrderAmount: won(row.min_order_amount),
            maxDiscountAmount: row.max_discount_amount === null ? null : won(row.max_discount_amount),
            validFrom: row.valid_from,
            validUntil: row.valid_until,
          },
        ]),
      ),
  );

type TermsRow = Pick<
  CouponRow,
  'id' | 'discount_type' | 'discount_value' | 'min_order_amount' | 'max_discount_amount' | 'valid_from' | 'valid_until'
>;

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
export const markUsed = (used: { userId: string; couponId: string }[], now: Date): Statement<number> =>
  writing(
    `UPDATE user_coupons FORCE INDEX (PRIMARY) SET status = 'USED', used_at = ?
      WHERE (user_id, coupon_id) IN (?) AND status = 'AVAILABLE'`,
    [now, used.map(({ userId, couponId }) => [userId, couponId])],
  );
