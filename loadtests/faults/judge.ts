import { API_NAMES, type Slo } from '../k6/lib/slo.ts';
import { total } from './cells.ts';
import type { RunResult } from './run.ts';

export interface Judgement {
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
  /** Why it is not PASS, one line each. */
  reasons: string[];
  /** Targets that the run did not meet: told, and no part of the verdict, since engines were away. */
  missedTargets: string[];
}

/** On a busy machine the answer to a deadline that has passed is this late at most. Milliseconds. */
export const LATE = 2_000;

/** Under faults: invariants, deadlines, and answers that say what they should. */
export function judge(
  { cells, unresolved, invariants }: RunResult,
  requestTimeoutMs: number,
  slo: Record<string, Slo>,
): Judgement {
  const failed: string[] = [];
  const missedTargets: string[] = [];
  for (const api of API_NAMES) {
    const { errors, longestMs, gaveUp, withoutRetryAfter, p95Ms, sent, ok, refused } = cells[api];
    if (gaveUp > 0) failed.push(`${api}: ${gaveUp} requests got no answer at all`);
    else if (longestMs > requestTimeoutMs + LATE)
      failed.push(`${api}: a request took ${longestMs.toFixed(0)} ms, its deadline was ${requestTimeoutMs} ms`);
    if (errors > 0) failed.push(`${api}: ${errors} answers were 5xx other than 503`);
    if (withoutRetryAfter > 0) failed.push(`${api}: ${withoutRetryAfter} 503s without Retry-After`);
    const target = slo[api] as Slo;
    const errorRate = (sent - ok - total(refused)) / Math.max(1, sent);
    if (p95Ms > target.p95_ms) missedTargets.push(`${api} p95 ${p95Ms.toFixed(0)} ms > ${target.p95_ms} ms`);
    if (errorRate > target.error_rate)
      missedTargets.push(`${api} errors ${(100 * errorRate).toFixed(1)} % > ${100 * target.error_rate} %`);
  }
  if (invariants.verdict === 'FAIL') failed.push(...invariants.reasons);
  const undecided = [
    ...(unresolved > 0 ? [`${unresolved} answers never became definite`] : []),
    ...(invariants.verdict === 'INCONCLUSIVE' ? invariants.reasons : []),
  ];
  const verdict = failed.length > 0 ? 'FAIL' : undecided.length > 0 ? 'INCONCLUSIVE' : 'PASS';
  return { verdict, reasons: [...failed, ...undecided], missedTargets };
}
