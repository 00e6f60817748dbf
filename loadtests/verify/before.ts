import type { Connection, RowDataPacket } from 'mysql2/promise';
import { won } from '../../services/core/money.ts';
import type { Before, Flow } from './figures.ts';
import { type Mapping, ONRUSH, type Source, withSources } from './mapping.ts';

/**
 * What the database holds now. The bench reads it before a run; the verifier reads it after, and what came between is
 * the run's. Sources that the mapping leaves out count 0.
 */
export async function readBefore(connection: Connection, mapping: Mapping = ONRUSH): Promise<Before> {
  const flow = async (source: Source, column: string): Promise<Flow> => {
    if (!mapping[source]) return { count: 0, won: 0 };
    const [rows] = await connection.query<RowDataPacket[]>(
      `${withSources(mapping, [source])} SELECT COUNT(*) AS count, COALESCE(SUM(${column}), 0) AS won FROM ${source}`,
    );
    return { count: Number(rows[0]?.count), won: won(rows[0]?.won) };
  };
  return {
    charges: await flow('charges', 'amount'),
    orders: await flow('orders', 'final_amount'),
    issued: (await flow('user_coupons', '0')).count,
    rejected: (await flow('rejections', '0')).count,
  };
}
