import { API_NAMES } from '../k6/lib/slo.ts';
import { type Cell, total } from './cells.ts';
import type { Judgement } from './judge.ts';
import type { RunResult } from './run.ts';

/** The end of a run in words, the verdict last. */
export function summary(result: RunResult, { verdict, reasons, missedTargets }: Judgement): string {
  const { cells, replayed, unresolved, drainSeconds, invariants } = result;
  const violated = invariants.checks.filter(({ status }) => status === 'violated');
  const lines = [
    '',
    'api        sent      ok  refused     503  broken    p99 ms  longest ms  recovered after',
    ...API_NAMES.map((api) => row(api, cells[api])),
    '',
    `answers asked for again by their key: ${replayed}, never definite: ${unresolved}`,
    `queues empty ${drainSeconds.toFixed(1)} s after the replays; coupons promised and lost: ${invariants.lostPromises ?? 'unknown'}`,
    `invariants: ${invariants.checks.length} checked, ${violated.length} violated, ${invariants.notChecked.length} not checked`,
    `targets (no part of the verdict): ${missedTargets.length > 0 ? missedTargets.join('; ') : 'met'}`,
    ...reasons.map((reason) => `- ${reason}`),
    `verdict: ${verdict}`,
  ];
  return lines.join('\n');
}

function row(api: string, cell: Cell): string {
  const figures: [string | number, number][] = [
    [cell.sent, 6],
    [cell.ok, 8],
    [total(cell.refused), 9],
    [total(cell.unavailable), 8],
    [cell.broken + cell.gaveUp + cell.errors, 8],
    [cell.p99Ms.toFixed(0), 10],
    [cell.longestMs.toFixed(0), 12],
    [`${cell.recoveredAfterS.toFixed(1)} s`, 17],
  ];
  return `${api.padEnd(9)}${figures.map(([text, width]) => String(text).padStart(width)).join('')}`;
}
