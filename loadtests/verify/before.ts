import type { Connection, RowDataPacket } from 'mysql2/promise';
import { won } from '../../services/core/money.ts';
import { WEIGHTS } from '../k6/lib/weight.ts';
import type { Before, Flow } from './figures.ts';
import { type Mapping, ONRUSH, type Source, withSources } from './mapping.ts';

/** As weightOf of k6/lib/weight.ts. */
const weight = `MOD(CAST(SUBSTRING_INDEX(user_id, '-', -1) AS SIGNED), ${WEIGHTS})`;

/**
 * What the database holds now. The bench reads it before a run; the verifier reads it after, and what came between is
 * the run's. Sources that the mapping leaves out count 0.
 */
export async function readBefore(connection: Connection, mapping: Mapping = ONRUSH): Promise<Before> {
  const count = async (source: Source): Promise<number> => {
    if (!mapping[source]) return 0;
    const [rows] = await connection.query<RowDataPacket[]>(
      `${withSources(mapping, [source])} SELECT COUNT(*) AS count FROM ${source}`,
    );
    return Number(rows[0]?.count);
  };
  const flow = async (source: Source, column: string): Promise<Flow> => {
    if (!mapping[source]) return { count: 0, won: 0 };
    const [rows] = await connection.query<RowDataPacket[]>(
      `${withSources(mapping, [source])} SELECT COUNT(*) AS count, COALESCE(SUM(${column}), 0) AS won,
        COALESCE(SUM(${column} * ${weight}), 0) AS weighed FROM ${source}`,
    );
    const weighed = Number(rows[0]?.weighed);
    return {
      count: Number(rows[0]?.count),
      won: won(rows[0]?.won),
      // A database that holds so much that the sum is not exact is judged without it.
      ...(Number.isSafeInteger(weighed) ? { weighed } : {}),
    };
  };
  return {
    charges: await flow('charges', 'amount'),
    orders: await flow('orders', 'final_amount'),
    issued: await count('user_coupons'),
    rejected: await count('rejections'),
  };
}
