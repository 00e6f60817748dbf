import { type EngineName, engineNames, labels } from '../../engines/engines.ts';
import { API_NAMES } from '../k6/lib/slo.ts';
import { type Cell, total } from './cells.ts';
import { type Fault, MATRIX_KINDS } from './fault.ts';
import type { Judgement } from './judge.ts';
import type { RunResult } from './run.ts';

/** A fault in the middle of each run of the matrix. Seconds. */
export const MATRIX_SECONDS = 30;
const AT = 8;
const LASTS = 8;

export const MATRIX_CELLS: Pick<Fault, 'engine' | 'kind'>[] = engineNames.flatMap((engine: EngineName) =>
  MATRIX_KINDS.map((kind) => ({ engine, kind })),
);

export const matrixFaults = (): Fault[] => MATRIX_CELLS.map((cell) => ({ ...cell, at: AT, lasts: LASTS }));

export interface MatrixRow {
  fault: Fault;
  result: RunResult;
  judgement: Judgement;
}

/** One line for each engine, fault and API. */
export function matrixTable(rows: MatrixRow[]): string {
  const lines = [
    '| engine | fault | API | sent | 2xx | refused | 503 (nothing done / unknown) | broken | p99 ms | longest ms | recovered | queues | verdict | targets |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const { fault, result, judgement } of rows) {
    const { verdict, missedTargets } = judgement;
    for (const api of API_NAMES) {
      const first = api === API_NAMES[0];
      lines.push(
        `| ${[
          first ? labels[fault.engine] : '',
          first ? fault.kind : '',
          api,
          ...figures(result.cells[api]),
          first ? `${settledAfter(result).toFixed(0)} s` : '',
          first ? verdict : '',
          missedTargets.some((missed) => missed.startsWith(api)) ? 'missed' : 'met',
        ].join(' | ')} |`,
      );
    }
  }
  return lines.join('\n');
}

function figures(cell: Cell): string[] {
  const { COMMON504: unknown = 0 } = cell.unavailable;
  const unavailable = total(cell.unavailable);
  return [
    String(cell.sent),
    String(cell.ok),
    String(total(cell.refused)),
    unavailable === 0 ? '0' : `${unavailable} (${unavailable - unknown} / ${unknown})`,
    String(cell.broken + cell.gaveUp + cell.errors),
    cell.p99Ms.toFixed(0),
    cell.longestMs.toFixed(0),
    `${cell.recoveredAfterS.toFixed(1)} s`,
  ];
}

/** Seconds from the fault's end to the first look at which no more than a second's work waited in the queues. */
export function settledAfter({ samples, requests, faultsEndedAt }: RunResult): number {
  const seconds = (requests.at(-1)?.sentAt ?? 0) / 1_000;
  const perSecond = requests.filter(({ api }) => api !== 'charge').length / Math.max(1, seconds);
  const settled = samples.find(
    ({ at, promises, events }) =>
      at >= faultsEndedAt && promises !== undefined && events !== undefined && promises + events <= perSecond,
  );
  return settled ? (settled.at - faultsEndedAt) / 1_000 : Number.POSITIVE_INFINITY;
}
