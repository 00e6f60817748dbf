import { crashPoint } from '../core/crash-point.ts';
import { locking, type Query, query, type Statement, type Tx, type WritePool, writing } from '../core/mysql.ts';
import type { TraceContext } from '../core/tracing/trace-context.ts';
import type { TransactionRecord } from '../core/transaction-record.ts';
import type { CouponPromise } from './promise.ts';

/** A promise with the place in the topic where it was read. */
export type Delivered = CouponPromise & {
  partition: number;
  offset: string;
  /** When its message was made; milliseconds since the epoch. */
  sent?: number;
  /** Where in which trace it was sent, if that is recorded. */
  trace?: TraceContext | undefined;
};

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
  couponId: string,
  promises: Delivered[],
  deadline: number,
  record?: TransactionRecord,
): Promise<Settled> {
  try {
    return await pool.transactionUntilKnown(deadline, (tx) => settleOptimistically(tx, couponId, promises), record);
  } catch (error) {
    if (!(error instanceof NeedsCoupon)) throw error;
    return pool.transactionUntilKnown(deadline, (tx) => settleWhatFits(tx, couponId, promises), record);
  }
}

class NeedsCoupon extends Error {
  override name = 'NeedsCoupon';
}

async function settleOptimistically(tx: Tx, couponId: string, promises: Delivered[]): Promise<Settled> {
  const [generation, users] = await tx.run(readGeneration(couponId), readUsers(promises));
  const { known, rejected, dropped } = sortOut(generation, users, promises);
  if (known.length > 0) {
    const [inserted, counted] = await tx.locking(
      'coupon_row',
      insertCoupons(known),
      countIssued(couponId, generation, known.length),
    );
    // Which of them were new is not to be told afterwards; or they do not all fit.
    if (inserted < known.length || counted === 0) throw new NeedsCoupon();
    crashPoint('settle:written');
  }
  if (rejected.length > 0) tx.last(insertRejections(rejected));
  return { issued: known, rejected, dropped };
}

async function settleWhatFits(tx: Tx, couponId: string, promises: Delivered[]): Promise<Settled> {
  const [coupon, users, holders] = await tx.locking(
    'coupon_row',
    lockCoupon(couponId),
    readUsers(promises),
    readHolders(couponId, promises),
  );
  const { known, rejected, dropped } = sortOut(coupon?.generation, users, promises);
  const fresh = known.filter(({ userId }) => !holders.has(userId));
  const fits = fresh.slice(0, coupon ? coupon.total - coupon.issued : 0);
  for (const promise of fresh.slice(fits.length)) rejected.push({ promise, reason: 'SOLD_OUT' });
  if (fits.length > 0) tx.last(insertCoupons(fits), countIssued(couponId, coupon?.generation, fits.length));
  if (rejected.length > 0) tx.last(insertRejections(rejected));
  return { issued: fits, rejected, dropped: dropped + known.length - fresh.length };
}

/** Drops other generations and a user's second promise, and rejects users that do not exist. */
function sortOut(generation: string | undefined, users: Set<string>, promises: Delivered[]) {
  const current = new Map<string, Delivered>();
  for (const promise of promises)
    if (promise.generation === generation && !current.has(promise.userId)) current.set(promise.userId, promise);
  const rejected: Settled['rejected'] = [];
  const known: Delivered[] = [];
  for (const promise of current.values()) {
    if (users.has(promise.userId)) known.push(promise);
    else rejected.push({ promise, reason: 'UNKNOWN_USER' });
  }
  return { known, rejected, dropped: promises.length - current.size };
}

const readGeneration = (couponId: string): Query<string | undefined> =>
  query(
    'SELECT generation FROM coupons WHERE id = ?',
    [couponId],
    (rows: { generation: string }[]) => rows[0]?.generation,
  );

/** Locks the coupon's row until the transaction ends. */
const lockCoupon = (couponId: string) =>
  locking(
    'SELECT generation, total_quantity AS total, issued_quantity AS issued FROM coupons WHERE id = ? FOR UPDATE',
    [couponId],
    (rows: { generation: string; total: number; issued: number }[]) => rows[0],
  );

/** Those of the promised users that exist. */
export const readUsers = (promises: Pick<Delivered, 'userId'>[]): Query<Set<string>> =>
  query(
    'SELECT id FROM users FORCE INDEX (PRIMARY) WHERE id IN (?)',
    [promises.map(({ userId }) => userId)],
    (rows: { id: string }[]) => new Set(rows.map(({ id }) => id)),
  );

/** Those of the promised users that have the coupon already. */
const readHolders = (couponId: string, promises: Delivered[]): Query<Set<string>> =>
  query(
    'SELECT user_id FROM user_coupons WHERE (user_id, coupon_id) IN (?)',
    [promises.map(({ userId }) => [userId, couponId])],
    (rows: { user_id: string }[]) => new Set(rows.map((row) => row.user_id)),
  );

/** Changes no row if that many do not fit any more, or the coupon was replaced meanwhile. Locks the coupon's row. */
const countIssued = (couponId: string, generation: string | undefined, issued: number): Statement<number> =>
  writing(
    `UPDATE coupons SET issued_quantity = issued_quantity + ?
      WHERE id = ? AND generation = ? AND issued_quantity + ? <= total_quantity`,
    [issued, couponId, generation, issued],
  );

/** The number of rows that were new. Every value was validated, so IGNORE passes over nothing but duplicates. */
const insertCoupons = (promises: Delivered[]): Statement<number> => {
  const now = new Date();
  return writing(
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
};

const insertRejections = (rejected: Settled['rejected']): Statement<number> => {
  const now = new Date();
  return writing(
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
};
