import type { Config } from '../../services/core/config.ts';
import type { InvariantCheck, Invariants } from '../report/results.ts';
import type { ClientFigures } from '../verify/figures.ts';
import type { Verdict } from '../verify/verdict.ts';
import { verify } from '../verify/verify.ts';

const GROUPS = ['', 'Coupons', 'Wallets', 'Stock', 'Orders', 'Clients against database'];

/** The verifier's judgement of the database, with what the clients saw in this run. */
export async function readInvariants(
  { databaseUrl, redisUrl, kafkaBrokers, namespace }: Config,
  clients: ClientFigures,
): Promise<Invariants> {
  return invariantsOf(await verify({ databaseUrl, redisUrl, kafkaBrokers, namespace, clients }));
}

/** The part of the verifier's judgement that results.json keeps. */
export function invariantsOf(judged: Verdict): Invariants {
  const checks: InvariantCheck[] = [
    ...judged.checks.map(({ id, group, title, status, reason, checked, violations, rows }) => ({
      id,
      group: GROUPS[group] ?? '',
      title,
      status,
      reason,
      checked,
      violations,
      rows,
    })),
    // A scenario that did not run left no figures to compare: no table needs to say so.
    ...judged.notChecked
      .filter(({ group }) => group !== 5)
      .map(({ id, group, title, reason }) => ({
        id,
        group: GROUPS[group] ?? '',
        title,
        status: 'not checked' as const,
        reason,
        checked: 0,
        violations: 0,
        rows: [],
      })),
  ];
  checks.sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
  const { verdict, reasons, seconds, lostPromises } = judged;
  return { verdict, reasons, seconds, lostPromises, checks };
}
