import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type Mapping, type Source, withSources } from './mapping.ts';

export type Group = 1 | 2 | 3 | 4 | 5;
export type Row = Record<string, unknown>;

export interface Check {
  id: string;
  /** 1 coupons, 2 wallets, 3 stock, 4 orders, 5 clients against database. */
  group: Group;
  title: string;
  /** `unknown`: it could not be decided, for the `reason`. */
  status: 'ok' | 'violated' | 'unknown';
  reason?: string;
  /** Rows looked at. */
  checked: number;
  violations: number;
  /** The first five of them. */
  rows: Row[];
  seconds: number;
}

export interface NotChecked {
  id: string;
  group: Group;
  title: string;
  reason: string;
}

/** An invariant as a query for the rows that break it. */
export interface SetCheck {
  id: string;
  group: Group;
  title: string;
  /** The sources whose rows it looks at, and those that it needs beside them. */
  looksAt: Source[];
  needs?: Source[];
  /** It compares with the baselines of this kind. */
  baseline?: 'wallet' | 'stock';
  violations: string;
}

export const SHOWN = 5;

/** What the snapshot holds, counted once for all checks. */
export interface Counts {
  rows: Map<Source, number>;
  baselines: Set<string>;
}

export async function countRows(connection: Connection, mapping: Mapping): Promise<Counts> {
  const rows = new Map<Source, number>();
  for (const source of Object.keys(mapping) as Source[]) {
    const [counted] = await connection.query<RowDataPacket[]>(
      `${withSources(mapping, [source])} SELECT COUNT(*) AS n FROM ${source}`,
    );
    rows.set(source, Number(counted[0]?.n));
  }
  const baselines = new Set<string>();
  if (mapping.baselines) {
    const [kinds] = await connection.query<RowDataPacket[]>(
      `${withSources(mapping, ['baselines'])} SELECT DISTINCT kind FROM baselines`,
    );
    for (const { kind } of kinds) baselines.add(kind as string);
  }
  return { rows, baselines };
}

/** Makes the check in the connection's snapshot. */
export async function runCheck(
  connection: Connection,
  mapping: Mapping,
  counts: Counts,
  { id, group, title, looksAt, needs = [], baseline, violations }: SetCheck,
): Promise<Check | NotChecked> {
  const sources: Source[] = [...looksAt, ...needs, ...(baseline ? (['baselines'] as const) : [])];
  const missing = sources.filter((source) => !mapping[source]);
  if (missing.length > 0) return { id, group, title, reason: `the mapping has no ${missing.join(', ')}` };
  const checked = looksAt.reduce((sum, source) => sum + (counts.rows.get(source) ?? 0), 0);
  if (baseline && !counts.baselines.has(baseline)) {
    const reason = `there is no ${baseline} baseline to compare with; npm run seed writes it`;
    return { id, group, title, status: 'unknown', reason, checked, violations: 0, rows: [], seconds: 0 };
  }
  const began = performance.now();
  const [rows] = await connection.query<RowDataPacket[]>(
    `${withSources(mapping, sources)}
    SELECT violation.*, COUNT(*) OVER () AS all_violations FROM (${violations}) violation LIMIT ${SHOWN}`,
  );
  return {
    id,
    group,
    title,
    status: rows.length > 0 ? 'violated' : 'ok',
    checked,
    violations: Number(rows[0]?.all_violations ?? 0),
    rows: rows.map(({ all_violations, ...row }) => row),
    seconds: (performance.now() - began) / 1000,
  };
}
