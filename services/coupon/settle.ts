import type { LockMetrics } from '../core/metrics.ts';
import type { Tx, WritePool } from '../core/mysql.ts';
import type { CouponPromise } from './promise.ts';

/** A promise with the place in the topic where it was read. */
export type Delivered = CouponPromise & { partition: number; offset: string };

export type RejectionReason = 'UNKNOWN_USER' | 'SOLD_OUT';

export interface Settled {
  issued: Delivered[];
  rejected: { promise: Delivered; reason: RejectionReason }[];
  /** Promises of another generation, and those that were settled before. */
  dropped: number;
}

/**
 * Turns promises for one coupon into coupons, in one transaction: unknown users are rejected, the others inserted under
 * UNIQUE(user_id, coupon_id), and issued_quantity grows by the rows that really were new, if they fit within the total.
 * Doing it again changes nothing. Locks the new user_coupons rows, then, as late as possible, the coupon's row.
 *
 * If they do not all fit (more was promised than there is, after a loss in Redis), or some were settled before, all is
 * rolled back and done in the other order: the coupon's row locked first, then as many of the new ones as fit, in the
 * order of their offsets; the rest is rejected.
 */
export async function settlePromises(
  pool: WritePool,
  metrics: LockMetrics,
  couponId: string,
  promises: Delivered[],
  deadline: number,
): Promise<Settled> {
  try {
    return await pool.transactionUntilKnown(deadline, (tx) => settleOptimistically(tx, metrics, couponId, promises));
  } catch (error) {
    if (!(error instanceof NeedsCoupon)) throw error;
    return pool.transactionUntilKnown(deadline, (tx) => settleWhatFits(tx, metrics, couponId, promises));
  }
}

class NeedsCoupon extends Error {
  override name = 'NeedsCoupon';
}

async function settleOptimistically(
  tx: Tx,
  metrics: LockMetrics,
  couponId: string,
  promises: Delivered[],
): Promise<Settled> {
  const [coupon] = await tx.rows<{ generation: string }>('SELECT generation FROM coupons WHERE id = ?', [couponId]);
  const { known, rejected, dropped } = await sortOut(tx, coupon?.generation, promises);
  const inserted = await insertCoupons(tx, known);
  // Which of them were new is not to be told afterwards.
  if (inserted < known.length) throw new NeedsCoupon();
  if (inserted > 0) {
    const asked = performance.now();
    const counted = await tx.write(
      `UPDATE coupons SET issued_quantity = issued_quantity + ?
        WHERE id = ? AND generation = ? AND issued_quantity + ? <= total_quantity`,
      [inserted, couponId, coupon?.generation, inserted],
    );
    metrics.waited('coupon_row', performance.now() - asked);
    if (counted.affectedRows === 0) throw new NeedsCoupon();
  }
  await insertRejections(tx, rejected);
  return { issued: known, rejected, dropped };
}

async function settleWhatFits(tx: Tx, metrics: LockMetrics, couponId: string, promises: Delivered[]): Promise<Settled> {
  const asked = performance.now();
  const [coupon] = await tx.rows<{ generation: string; total_quantity: number; issued_quantity: number }>(
    'SELECT generation, total_quantity, issued_quantity FROM coupons WHERE id = ? FOR UPDATE',
    [couponId],
  );
  metrics.waited('coupon_row', performance.now() - asked);
  const { known, rejected, dropped } = await sortOut(tx, coupon?.generation, promises);
  const holders = await holdersAmong(tx, couponId, known);
  const fresh = known.filter(({ userId }) => !holders.has(userId));
  const room = coupon ? coupon.total_quantity - coupon.issued_quantity : 0;
  const fits = fresh.slice(0, room);
  for (const promise of fresh.slice(room)) rejected.push({ promise, reason: 'SOLD_OUT' });
  const inserted = await insertCoupons(tx, fits);
  if (inserted > 0)
    await tx.write('UPDATE coupons SET issued_quantity = issued_quantity + ? WHERE id = ?', [inserted, couponId]);
  await insertRejections(tx, rejected);
  return { issued: fits, rejected, dropped: dropped + holders.size };
}

/** Drops other generations and a user's second promise, and finds the users that do not exist, by a plain read. */
async function sortOut(tx: Tx, generation: string | undefined, promises: Delivered[]) {
  const current = new Map<string, Delivered>();
  for (const promise of promises)
    if (promise.generation === generation && !current.has(promise.userId)) current.set(promise.userId, promise);
  const rejected: Settled['rejected'] = [];
  const known: Delivered[] = [];
  if (current.size > 0) {
    const users = await tx.rows<{ id: string }>('SELECT id FROM users WHERE id IN (?)', [[...current.keys()]]);
    const exists = new Set(users.map(({ id }) => id));
    for (const promise of current.values()) {
      if (exists.has(promise.userId)) known.push(promise);
      else rejected.push({ promise, reason: 'UNKNOWN_USER' });
    }
  }
  return { known, rejected, dropped: promises.length - current.size };
}

async function holdersAmong(tx: Tx, couponId: string, promises: Delivered[]): Promise<Set<string>> {
  if (promises.length === 0) return new Set();
  const rows = await tx.rows<{ user_id: string }>(
    'SELECT user_id FROM user_coupons WHERE (user_id, coupon_id) IN (?)',
    [promises.map(({ userId }) => [userId, couponId])],
  );
  return new Set(rows.map((row) => row.user_id));
}

/** Returns the number of rows that were new. Every value was validated, so IGNORE passes over nothing but duplicates. */
async function insertCoupons(tx: Tx, promises: Delivered[]): Promise<number> {
  if (promises.length === 0) return 0;
  const now = new Date();
  const result = await tx.write(
    `INSERT IGNORE INTO user_coupons
       (user_id, coupon_id, idempotency_key, stream_id, topic_partition, topic_offset, accepted_at, issued_at)
     VALUES ?`,
    [
      promises.map((promise) => [
        promise.userId,
        promise.couponId,
        promise.key || null,
        promise.streamId,
        promise.partition,
        promise.offset,
        new Date(promise.acceptedAt),
        now,
      ]),
    ],
  );
  return result.affectedRows;
}

async function insertRejections(tx: Tx, rejected: Settled['rejected']): Promise<void> {
  if (rejected.length === 0) return;
  const now = new Date();
  await tx.write(
    `INSERT IGNORE INTO coupon_rejections
       (coupon_id, user_id, stream_id, generation, reason, topic_partition, topic_offset, rejected_at)
     VALUES ?`,
    [
      rejected.map(({ promise, reason }) => [
        promise.couponId,
        promise.userId,
        promise.streamId,
        promise.generation,
        reason,
        promise.partition,
        promise.offset,
        now,
      ]),
    ],
  );
}
