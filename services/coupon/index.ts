export { startConsumer } from './consumer.ts';
export { discountOf } from './discount.ts';
export { Gate } from './gate.ts';
export { startGatekeeper } from './gatekeeper.ts';
export { couponRoutes } from './routes.ts';
export { type CouponTerms, couponRefusal, type HeldCoupon, lockUserCoupons, markUsed, readTerms } from './use.ts';
