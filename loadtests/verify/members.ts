import type { Redis } from 'ioredis';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Names } from '../../services/core/names.ts';
import { type Check, type NotChecked, type Row, SHOWN } from './check.ts';
import { type Mapping, withSources } from './mapping.ts';

const WITHOUT_ROW = {
  id: 'coupon-promised',
  group: 1,
  title: 'everyone who was promised the coupon has it',
} as const;
const WITHOUT_MEMBER = {
  id: 'coupon-admitted',
  group: 1,
  title: 'everyone who has the coupon was admitted',
} as const;

/** Where Redis and the snapshot differ. */
export interface Differences {
  withoutRow: Row[];
  withoutMember: Row[];
  /** Coupons whose gate is closed: their members may be about to be reloaded. */
  closed: string[];
  members: number;
  rows: number;
  seconds: number;
}

/** Compares, coupon by coupon, the users that Redis admitted with the rows of the connection's snapshot. */
export async function compareMembers(
  connection: Connection,
  redis: Redis,
  names: Names,
  mapping: Mapping,
): Promise<Differences> {
  const began = performance.now();
  const found: Differences = { withoutRow: [], withoutMember: [], closed: [], members: 0, rows: 0, seconds: 0 };
  for (const couponId of await couponIds(connection, mapping)) {
    // In one step, because a rebuild removes the gate before it reloads the members.
    const answers = await redis.multi().exists(names.gate(couponId)).hkeys(names.admitted(couponId)).exec();
    const open = answers?.[0]?.[1] === 1;
    const members = new Set(answers?.[1]?.[1] as string[]);
    const holders = new Set(await holdersOf(connection, mapping, couponId));
    found.members += members.size;
    found.rows += holders.size;
    if (!open) found.closed.push(couponId);
    for (const userId of members)
      if (!holders.has(userId)) found.withoutRow.push({ coupon_id: couponId, user_id: userId });
    for (const userId of holders)
      if (!members.has(userId)) found.withoutMember.push({ coupon_id: couponId, user_id: userId });
  }
  found.seconds = (performance.now() - began) / 1000;
  return found;
}

async function couponIds(connection: Connection, mapping: Mapping): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `${withSources(mapping, ['coupons'])} SELECT coupon_id FROM coupons ORDER BY coupon_id`,
  );
  return rows.map((row) => row.coupon_id as string);
}

async function holdersOf(connection: Connection, mapping: Mapping, couponId: string): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[][]>(
    {
      sql: `${withSources(mapping, ['user_coupons'])} SELECT user_id FROM user_coupons WHERE coupon_id = ?`,
      rowsAsArray: true,
    },
    [couponId],
  );
  return rows.map(([userId]) => userId as unknown as string);
}

/**
 * A promise without its row is a violation only when nothing is on its way any more, a row without its promise only
 * while the gate is open, because a rebuild reloads the members from the rows.
 */
export function memberChecks(found: Differences, settled: boolean): Check[] {
  const { members, rows, closed, withoutRow, withoutMember, seconds } = found;
  return [
    {
      ...WITHOUT_ROW,
      ...judged(withoutRow, settled, 'promises were still on their way'),
      checked: members,
      seconds,
    },
    {
      ...WITHOUT_MEMBER,
      ...judged(withoutMember, settled && closed.length === 0, `not settled, or closed gates: ${closed.join(', ')}`),
      checked: rows,
      seconds: 0,
    },
  ];
}

function judged(
  rows: Row[],
  decided: boolean,
  reason: string,
): Pick<Check, 'status' | 'violations' | 'rows' | 'reason'> {
  const shown = { violations: rows.length, rows: rows.slice(0, SHOWN) };
  if (rows.length === 0) return { status: 'ok', ...shown };
  return decided ? { status: 'violated', ...shown } : { status: 'unknown', reason, ...shown };
}

export const membersNotChecked = (reason: string): NotChecked[] => [
  { ...WITHOUT_ROW, reason },
  { ...WITHOUT_MEMBER, reason },
];
