import { columns } from '../bench/table.ts';
import { figure } from '../report/format.ts';
import type { Outcome } from './outcome.ts';

const WIDTH = 40;

/**
 * Rates as bars, each write to its own scale, and the verdict at their ends. A rate at which wrong answers are given is
 * drawn hollow.
 */
export function picture(byWrite: [string, Outcome[]][]): string[] {
  const rows = byWrite.flatMap(([write, outcomes]) => {
    const most = Math.max(...outcomes.map(({ tps }) => tps));
    return outcomes.map(({ id, tps, p95, verdict, red }) => [
      id,
      figure(tps),
      figure(p95),
      // A bar of nothing at all would look like a strategy that was not run.
      (verdict === 'PASS' ? '█' : '░').repeat(Math.max(1, Math.round((tps / most) * WIDTH))).padEnd(WIDTH),
      red.length > 0 ? `${verdict}: ${red.join(', ')}` : verdict,
      write,
    ]);
  });
  const head = ['', 'TPS', 'p95 ms', ''.padEnd(WIDTH), ''];
  const drawn = columns([head, ...rows.map((row) => row.slice(0, 4))]);
  return drawn.flatMap((line, at) => {
    const row = rows[at - 1];
    const gap = at > 1 && row?.[5] !== rows[at - 2]?.[5] ? [''] : [];
    return [...gap, row ? `${line.padEnd(widthOf(drawn))}  ${row[4]}` : line];
  });
}

const widthOf = (lines: string[]): number => Math.max(...lines.map(({ length }) => length));
