import type { Invariants, ScenarioResult, Verdict } from '../report/results.ts';

export const EXIT_CODES: Record<Verdict, number> = { PASS: 0, FAIL: 1, INCONCLUSIVE: 2 };

/**
 * One verdict of everything: a broken threshold, a violated invariant or APIs that died are FAIL; what could not be
 * measured or decided is INCONCLUSIVE; only if neither is there it is PASS.
 */
export function judge(
  scenarios: ScenarioResult[],
  invariants: Invariants | undefined,
  { failed, open }: { failed: string[]; open: string[] },
): { verdict: Verdict; reasons: string[] } {
  const broken = scenarios.flatMap(({ name, thresholds }) =>
    thresholds
      .filter(({ ok }) => !ok)
      .map(({ metric, expression }) => `${name}: the threshold ${metric} ${expression} is broken`),
  );
  const violated = invariants?.verdict === 'FAIL' ? invariants.reasons : [];
  const undecided = invariants === undefined ? ['the database was not verified'] : [];
  if (invariants?.verdict === 'INCONCLUSIVE') undecided.push(...invariants.reasons);
  const against = [...failed, ...violated, ...broken];
  const reasons = [...against, ...open, ...undecided];
  if (against.length > 0) return { verdict: 'FAIL', reasons };
  return { verdict: reasons.length > 0 ? 'INCONCLUSIVE' : 'PASS', reasons };
}
