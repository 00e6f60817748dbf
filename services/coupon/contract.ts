import { z } from 'zod';
import { endpoint, id, time, wonAmount } from '../core/http/endpoint.ts';
import { MAX_AMOUNT } from '../core/money.ts';

export const couponParams = z.strictObject({ couponId: id });

export const issueRequest = z.strictObject({ userId: id });
export type IssueRequest = z.infer<typeof issueRequest>;

export const issueResponse = z.strictObject({
  queued: z.literal(true),
  message: z.string(),
  /** Users that were promised this coupon so far. May differ on a replay. */
  queueSize: z.int(),
  couponId: id,
  userId: id,
});
export type IssueResponse = z.infer<typeof issueResponse>;

export const coupon = z.strictObject({
  couponId: id,
  name: z.string(),
  discountType: z.enum(['FIXED', 'PERCENT']),
  discountValue: z.int(),
  minOrderAmount: wonAmount,
  maxDiscountAmount: wonAmount.nullable(),
  totalQuantity: z.int(),
  issuedQuantity: z.int(),
  remainingQuantity: z.int(),
  validFrom: time,
  validUntil: time,
});
export type Coupon = z.infer<typeof coupon>;

export const createCouponRequest = z
  .strictObject({
    name: z.string().trim().min(1).max(100),
    discountType: z.enum(['FIXED', 'PERCENT']),
    /** Won for FIXED, whole percent for PERCENT. */
    discountValue: z.int().min(1).max(MAX_AMOUNT),
    minOrderAmount: z.int().min(0).max(MAX_AMOUNT).default(0),
    maxDiscountAmount: z.int().min(1).max(MAX_AMOUNT).optional(),
    totalQuantity: z.int().min(1).max(10_000_000),
    validFrom: z.iso.datetime({ offset: true }),
    validUntil: z.iso.datetime({ offset: true }),
  })
  .refine((c) => c.discountType !== 'PERCENT' || c.discountValue <= 100, {
    path: ['discountValue'],
    message: 'a percentage is at most 100',
  })
  .refine((c) => Date.parse(c.validFrom) < Date.parse(c.validUntil), {
    path: ['validUntil'],
    message: 'must be later than validFrom',
  });
export type CreateCouponRequest = z.input<typeof createCouponRequest>;

export const validateRequest = z.strictObject({
  userId: id,
  couponId: id,
  orderAmount: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
});
export type ValidateRequest = z.infer<typeof validateRequest>;

export const validateResponse = z.strictObject({
  valid: z.boolean(),
  discountAmount: wonAmount,
  /** Code of the rule that fails. */
  reason: z.enum(['C002', 'C003', 'C004', 'C404']).optional(),
});

export const userCoupon = z.strictObject({
  couponId: id,
  name: z.string(),
  discountType: z.enum(['FIXED', 'PERCENT']),
  discountValue: z.int(),
  status: z.enum(['AVAILABLE', 'USED', 'EXPIRED']),
  issuedAt: time,
  usedAt: time.nullable(),
  validUntil: time,
});

export const issueStatusResponse = z.strictObject({
  couponId: id,
  userId: id,
  status: z.enum(['pending', 'issued', 'rejected', 'none']),
});
export type IssueStatusResponse = z.infer<typeof issueStatusResponse>;

export const issueEndpoint = endpoint({
  operation: 'issueCoupon',
  slowAfter: 97,
  method: 'post',
  path: '/api/coupons/{couponId}/issue',
  summary: 'Ask for one coupon; 202 is the promise, the coupon itself follows within a second',
  params: couponParams,
  body: issueRequest,
  idempotent: true,
  status: 202,
  answer: issueResponse,
  refusals: ['C001', 'C002', 'C006', 'C404', 'C503'],
});

export const issueStatusEndpoint = endpoint({
  operation: 'issueStatus',
  method: 'get',
  path: '/api/coupons/{couponId}/issues/{userId}',
  summary: 'What became of a user’s request for a coupon',
  params: z.strictObject({ couponId: id, userId: id }),
  answer: issueStatusResponse,
  refusals: ['C404'],
});

export const createCouponEndpoint = endpoint({
  operation: 'createCoupon',
  method: 'post',
  path: '/api/coupons',
  summary: 'Create a coupon',
  body: createCouponRequest as unknown as z.ZodObject<typeof createCouponRequest.shape>,
  status: 201,
  answer: coupon,
  admin: true,
});

export const validateEndpoint = endpoint({
  operation: 'validateCoupon',
  method: 'post',
  path: '/api/coupons/validate',
  summary: 'What a coupon would take off an order',
  body: validateRequest,
  answer: validateResponse,
});

export const couponsEndpoint = endpoint({
  operation: 'listCoupons',
  method: 'get',
  path: '/api/coupons',
  summary: 'All coupons, newest first',
  answer: z.array(coupon),
});

export const couponEndpoint = endpoint({
  operation: 'readCoupon',
  method: 'get',
  path: '/api/coupons/{couponId}',
  summary: 'One coupon with its remaining quantity',
  params: couponParams,
  answer: coupon,
  refusals: ['C404'],
});

export const userCouponsEndpoint = endpoint({
  operation: 'userCoupons',
  method: 'get',
  path: '/api/users/{userId}/coupons',
  summary: 'Coupons of a user, newest first',
  params: z.strictObject({ userId: id }),
  query: z.strictObject({ status: z.enum(['AVAILABLE', 'USED', 'EXPIRED']).optional() }),
  answer: z.array(userCoupon),
});
