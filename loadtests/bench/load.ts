import { existsSync, readFileSync, rmSync } from 'node:fs';
import { inState } from '../../engines/directory.ts';
import type { K6Summary } from '../k6/lib/summary.ts';
import { runGenerator } from './generator.ts';

export interface LoadRun {
  /** Absent if k6 ended without one: nothing is known then. */
  summary: K6Summary | undefined;
  /** k6's exit code was neither 0 nor that of a broken threshold; what it said. */
  crash: string | undefined;
}

const THRESHOLD_BROKEN = 99;

/**
 * Runs one script to its end. The generator shares the machine with what it measures: with a larger heap its garbage
 * collector takes a tenth less of it.
 */
export async function runK6(
  k6: string,
  script: string,
  env: Record<string, string>,
  signal: AbortSignal,
  onStart: (pid: number) => void,
): Promise<LoadRun> {
  const summaryPath = inState('run', `k6-${process.pid}.json`);
  rmSync(summaryPath, { force: true });
  const args = ['run', '--quiet', '--no-usage-report', '--address', '', `loadtests/k6/${script}`];
  const settings = { GOGC: '400', K6_NO_COLOR: 'true', ...env, SUMMARY: summaryPath };
  const { code, said } = await runGenerator(k6, args, settings, signal, onStart);
  const summary = existsSync(summaryPath) ? (JSON.parse(readFileSync(summaryPath, 'utf8')) as K6Summary) : undefined;
  rmSync(summaryPath, { force: true });
  const ok = summary !== undefined && (code === 0 || code === THRESHOLD_BROKEN);
  return { summary, crash: ok ? undefined : `k6 ended with ${code}: ${said}` };
}
