import { Gauge, Registry } from 'prom-client';
import type { Verdict } from './verdict.ts';

const VERDICTS = ['PASS', 'FAIL', 'INCONCLUSIVE'] as const;

/** What a verifier that looks again and again tells: dashboards and alerts know the names from here. */
export function createVerifierMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const gauges = {
    violations: new Gauge({
      name: 'onrush_invariant_violations',
      help: 'Rows that broke an invariant when it was last checked',
      labelNames: ['check'] as const,
      registers,
    }),
    verdict: new Gauge({
      name: 'onrush_verdict',
      help: '1 for what the last look came to; INCONCLUSIVE while queues are not empty',
      labelNames: ['verdict'] as const,
      registers,
    }),
    verified: new Gauge({
      name: 'onrush_verified_timestamp_seconds',
      help: 'When the last look ended',
      registers,
    }),
    duration: new Gauge({
      name: 'onrush_verification_duration_seconds',
      help: 'Time the last look took',
      registers,
    }),
  };
  return {
    registry,
    ...gauges,
    show(seen: Pick<Verdict, 'verdict' | 'checks' | 'seconds'>): void {
      // What could not be decided this time says nothing new.
      for (const { id, status, violations } of seen.checks)
        if (status !== 'unknown') gauges.violations.set({ check: id }, violations);
      for (const verdict of VERDICTS) gauges.verdict.set({ verdict }, verdict === seen.verdict ? 1 : 0);
      gauges.duration.set(seen.seconds);
      gauges.verified.set(Date.now() / 1000);
    },
  };
}
