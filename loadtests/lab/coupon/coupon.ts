import type { Tx } from '../../../services/core/mysql.ts';
import { type Outcome, type Refusal, refuse } from '../../../services/core/refusals.ts';
import type { IssueResponse } from '../../../services/coupon/contract.ts';
import type { IssueRequest } from '../strategy.ts';

// What the strategies for coupons have in common: the statements and the rules. When they are asked, and what keeps others
// away meanwhile, is the strategies' own.

export interface Coupon {
  total: number;
  issued: number;
  generation: string;
  from: Date;
  until: Date;
}

export interface Asker {
  exists: boolean;
  /** Key under which the user got this coupon; undefined without one. */
  hasItBy: string | undefined;
}

const SELECT = `SELECT total_quantity AS total, issued_quantity AS issued, generation,
    valid_from AS \`from\`, valid_until AS \`until\` FROM coupons WHERE id = ?`;

/** Reads rows, in a transaction or outside of one. */
export type Rows = <Row>(sql: string, values: unknown[]) => Promise<Row[]>;

/** The coupon as it is at this moment. */
export const readCoupon = async (rows: Rows, couponId: string): Promise<Coupon | undefined> =>
  (await rows<Coupon>(SELECT, [couponId]))[0];

/** The coupon, which nobody else can lock or count until the transaction ends. */
export const lockCoupon = async (tx: Tx, couponId: string): Promise<Coupon | undefined> =>
  (await tx.rows<Coupon>(`${SELECT} FOR UPDATE`, [couponId]))[0];

export async function readAsker(rows: Rows, { couponId, userId }: IssueRequest): Promise<Asker> {
  const [row] = await rows<{ held: string | null; heldBy: string | null }>(
    `SELECT h.user_id AS held, h.idempotency_key AS heldBy
       FROM users u LEFT JOIN user_coupons h ON h.user_id = u.id AND h.coupon_id = ? WHERE u.id = ?`,
    [couponId, userId],
  );
  return { exists: row !== undefined, hasItBy: row?.held ? (row.heldBy ?? '') : undefined };
}

/** The answer that the rules give without issuing anything, or undefined if one may be issued. */
export function answerWithoutIssuing(
  request: IssueRequest,
  coupon: Coupon | undefined,
  { exists, hasItBy }: Asker,
): Outcome<IssueResponse> | undefined {
  if (!coupon) return refuse('C404');
  if (!exists) return { ...refuse('U001'), status: 400 } as Refusal;
  if (hasItBy !== undefined)
    return hasItBy === request.key ? { ...accepted(request, coupon.issued), replayed: true } : refuse('C006');
  const now = new Date();
  if (now < coupon.from || now >= coupon.until) return refuse('C002');
  return coupon.issued < coupon.total ? undefined : refuse('C001');
}

export const accepted = ({ couponId, userId }: IssueRequest, queueSize: number) => ({
  ok: true as const,
  value: { queued: true as const, message: 'your coupon is on its way', queueSize, couponId, userId },
});

/** Gives the user the coupon. */
export async function insertCoupon(tx: Tx, { couponId, userId, key }: IssueRequest): Promise<void> {
  const now = new Date();
  await tx.write(
    `INSERT INTO user_coupons
       (user_id, coupon_id, idempotency_key, stream_id, topic_partition, topic_offset, accepted_at, issued_at)
     VALUES (?)`,
    [[userId, couponId, key, '', 0, 0, now, now]],
  );
}

/** Counts one more, whatever the count was. Locks the coupon's row until the transaction ends. */
export const countCoupon = (tx: Tx, couponId: string) =>
  tx.write('UPDATE coupons SET issued_quantity = issued_quantity + 1 WHERE id = ?', [couponId]);
