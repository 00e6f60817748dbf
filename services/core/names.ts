/**
 * Names of everything that lives in Redis, Kafka and MySQL's named locks, all under one namespace.
 * Seeder, verifier and tests take them from here too.
 */
export function namesOf(namespace: string) {
  const coupon = (couponId: string) => `${namespace}:coupon:${couponId}`;
  return {
    /** Hash {instance, generation, limit, from, until}: the coupon's gate; absent means closed until rebuilt. */
    gate: (couponId: string) => `${coupon(couponId)}:gate`,
    /** Hash user id → `stream id|idempotency key`: everyone who was promised this coupon. */
    admitted: (couponId: string) => `${coupon(couponId)}:admitted`,
    /** Which rebuild of the coupon's gate is under way: the one that wrote this last. */
    rebuilding: (couponId: string) => `${coupon(couponId)}:rebuilding`,
    /** Stream of promises that the gatekeeper has not handed to Kafka yet, all coupons. */
    stream: `${namespace}:coupon:stream`,
    /** Set of coupon ids whose gate is asked to be rebuilt. */
    rebuildRequests: `${namespace}:coupon:rebuild`,
    /** Redlock resource of a user's running order, and of the key it runs under. */
    orderLock: (userId: string) => `${namespace}:order:user:${userId}`,
    orderKeyLock: (userId: string, key: string) => `${namespace}:order:user:${userId}:key:${key}`,
    /** Sorted set product id → quantity sold on that day (UTC, yyyy-mm-dd). */
    rankingDay: (day: string) => `${namespace}:ranking:${day}`,
    /** Hash partition → last offset of the order events counted in the ranking. */
    rankingOffsets: `${namespace}:ranking:offsets`,
    /** Bitmap of the order events of that chunk that the ranking has counted. */
    rankingCounted: (chunk: number) => `${namespace}:ranking:counted:${chunk}`,
    couponTopic: `${namespace}.coupon-issue`,
    couponDeadTopic: `${namespace}.coupon-issue.dead`,
    orderTopic: `${namespace}.order-events`,
    consumerGroup: `${namespace}.coupon-consumer`,
    projectionGroup: `${namespace}.projections`,
    /** MySQL GET_LOCK names. */
    gatekeeperLease: `${namespace}.gatekeeper`,
    gateLock: (couponId: string) => `${namespace}.gate.${couponId}`.slice(0, 64),
    migrationLock: `${namespace}.migration`,
  };
}
export type Names = ReturnType<typeof namesOf>;
