import type { z } from 'zod';
import { newId } from '../core/ids.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { CouponRow, Models, UserCouponRow } from '../database/models.ts';
import type { Coupon, createCouponRequest, userCoupon, ValidateRequest, validateResponse } from './contract.ts';
import { discountOf } from './discount.ts';
import { type CouponTerms, couponRefusal } from './use.ts';

type UserCoupon = z.infer<typeof userCoupon>;

/** DATETIME reaches from the year 1000 to 9999; with an offset, a time that the schema let pass can lie beyond. */
const inDatetime = (at: Date): boolean => at.getUTCFullYear() >= 1000 && at.getUTCFullYear() <= 9999;

export async function createCoupon(
  models: Models,
  body: z.output<typeof createCouponRequest>,
): Promise<Outcome<Coupon>> {
  const row = {
    id: newId('coupon'),
    name: body.name,
    discount_type: body.discountType,
    discount_value: body.discountValue,
    min_order_amount: body.minOrderAmount,
    max_discount_amount: body.maxDiscountAmount ?? null,
    total_quantity: body.totalQuantity,
    issued_quantity: 0,
    generation: newId('gen'),
    valid_from: new Date(body.validFrom),
    valid_until: new Date(body.validUntil),
  };
  for (const [field, at] of [['validFrom', row.valid_from] as const, ['validUntil', row.valid_until] as const]) {
    if (!inDatetime(at)) return refuse('COMMON400', { field, problem: 'expected a year from 1000 to 9999 (UTC)' });
  }
  await models.coupons.create(row);
  return { ok: true, value: toCoupon({ ...row, remaining_quantity: row.total_quantity }) };
}

export async function listCoupons(models: Models): Promise<Outcome<Coupon[]>> {
  const rows = (await models.coupons.findAll({
    order: [
      ['created_at', 'DESC'],
      ['id', 'DESC'],
    ],
    raw: true,
  })) as unknown as CouponRow[];
  return { ok: true, value: rows.map(toCoupon) };
}

export async function readCoupon(models: Models, couponId: string): Promise<Outcome<Coupon>> {
  const row = await findCoupon(models, couponId);
  return row ? { ok: true, value: toCoupon(row) } : refuse('C404');
}

/** What the coupon would take off an order of this user, by the rules of an order at `now`. Changes and locks nothing. */
export async function validateCoupon(
  models: Models,
  { userId, couponId, orderAmount }: ValidateRequest,
  now: Date,
): Promise<Outcome<z.infer<typeof validateResponse>>> {
  const [coupon, held] = await Promise.all([
    findCoupon(models, couponId),
    models.userCoupons.findOne({
      where: { user_id: userId, coupon_id: couponId },
      raw: true,
    }) as unknown as Promise<UserCouponRow | null>,
  ]);
  if (!coupon) return not('C404');
  const terms = held ? toTerms(coupon, held.status) : undefined;
  const refusal = couponRefusal(terms, orderAmount, now);
  if (refusal || !terms) return not(refusal ?? 'C003');
  return { ok: true, value: { valid: true, discountAmount: discountOf(terms, orderAmount) } };
}

const not = (reason: NonNullable<z.infer<typeof validateResponse>['reason']>) =>
  ({ ok: true, value: { valid: false, discountAmount: 0, reason } }) as const;

/** Newest first. Nothing marks a coupon as expired when its period ends: it is computed here. */
export async function userCoupons(
  models: Models,
  userId: string,
  status?: UserCoupon['status'],
  now = new Date(),
): Promise<Outcome<UserCoupon[]>> {
  const held = (await models.userCoupons.findAll({
    where: { user_id: userId },
    order: [
      ['issued_at', 'DESC'],
      ['coupon_id', 'DESC'],
    ],
    raw: true,
  })) as unknown as UserCouponRow[];
  if (held.length === 0) return { ok: true, value: [] };
  const coupons = (await models.coupons.findAll({
    where: { id: held.map(({ coupon_id }) => coupon_id) },
    raw: true,
  })) as unknown as CouponRow[];
  const byId = new Map(coupons.map((coupon) => [coupon.id, coupon]));
  const all = held.flatMap((mine) => {
    const coupon = byId.get(mine.coupon_id);
    return coupon ? [toUserCoupon(mine, coupon, now)] : [];
  });
  return { ok: true, value: status === undefined ? all : all.filter((mine) => mine.status === status) };
}

const findCoupon = async (models: Models, couponId: string) =>
  (await models.coupons.findOne({ where: { id: couponId }, raw: true })) as unknown as CouponRow | null;

const toTerms = (row: CouponRow, status: CouponTerms['status']): CouponTerms => ({
  status,
  discountType: row.discount_type,
  discountValue: row.discount_value,
  minOrderAmount: row.min_order_amount,
  maxDiscountAmount: row.max_discount_amount,
  validFrom: row.valid_from,
  validUntil: row.valid_until,
});

const toUserCoupon = (mine: UserCouponRow, coupon: CouponRow, now: Date): UserCoupon => ({
  couponId: coupon.id,
  name: coupon.name,
  discountType: coupon.discount_type,
  discountValue: coupon.discount_value,
  status: mine.status === 'AVAILABLE' && now >= coupon.valid_until ? 'EXPIRED' : mine.status,
  issuedAt: mine.issued_at.toISOString(),
  usedAt: mine.used_at?.toISOString() ?? null,
  validUntil: coupon.valid_until.toISOString(),
});

const toCoupon = (row: Omit<CouponRow, 'created_at'>): Coupon => ({
  couponId: row.id,
  name: row.name,
  discountType: row.discount_type,
  discountValue: row.discount_value,
  minOrderAmount: row.min_order_amount,
  maxDiscountAmount: row.max_discount_amount,
  totalQuantity: row.total_quantity,
  issuedQuantity: row.issued_quantity,
  remainingQuantity: row.remaining_quantity,
  validFrom: row.valid_from.toISOString(),
  validUntil: row.valid_until.toISOString(),
});
