import { existsSync, readFileSync, rmSync } from 'node:fs';
import { inState } from '../../engines/directory.ts';
import type { ApiName, Slo } from '../k6/lib/slo.ts';
import type { K6Summary } from '../k6/lib/summary.ts';
import { runGenerator } from './generator.ts';
import type { LoadRun } from './load.ts';

export interface WrkLoad {
  /** In loadtests/wrk. */
  script: string;
  /** Requests in flight at most: each connection sends the next when it has the answer, or when its time has come. */
  connections: number;
  /** Requests a second, whatever the answers; as fast as they come if not given. */
  rate?: number;
}

/** An answer that takes longer counts as an error. Seconds. */
const TIMEOUT = 10;

/**
 * Runs one script of wrk to its end, with the environment of the k6 scripts. wrk takes a tenth of what k6 takes of the machine
 * that it shares with what it measures; it knows no retries, and leaves what is in flight at the end unresolved.
 */
export async function runWrk(
  wrk: string,
  { script, connections, rate }: WrkLoad,
  env: Record<string, string> & { BASE_URL: string },
  seconds: number,
  signal: AbortSignal,
  onStart: (pid: number) => void,
): Promise<LoadRun> {
  const summaryPath = inState('run', `wrk-${process.pid}.json`);
  rmSync(summaryPath, { force: true });
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, `--timeout=${TIMEOUT}s`, '-s', `loadtests/wrk/${script}`];
  const settings = { ...env, SUMMARY: summaryPath, RATE: rate ? String(rate) : '' };
  const { code, said } = await runGenerator(wrk, [...args, env.BASE_URL], settings, signal, onStart);
  const summary = existsSync(summaryPath) ? (JSON.parse(readFileSync(summaryPath, 'utf8')) as K6Summary) : undefined;
  rmSync(summaryPath, { force: true });
  if (summary && code === 0) return { summary, crash: undefined };
  return { summary, crash: `wrk ended with ${code}: ${said}` };
}

/** What the k6 scripts ask of a run without pauses: there are answers, hardly any fails, and none surprises. */
export function heldTo({ requests, counters }: K6Summary, api: ApiName, { error_rate }: Slo): K6Summary['thresholds'] {
  const { count = 0, failed = 0 } = requests[api] ?? {};
  return [
    { metric: `http_reqs{name:${api}}`, expression: 'count>0', ok: count > 0 },
    {
      metric: `http_req_failed{name:${api}}`,
      expression: `rate<=${error_rate}`,
      ok: failed <= error_rate * (count + failed),
    },
    { metric: `${api}_unexpected`, expression: 'count<1', ok: !counters[`${api}_unexpected`] },
  ];
}

/** Requests that were sent and had no answer when the load ended: wrk counts a timeout only where an answer comes late. */
export function unanswered(counters: K6Summary['counters'], api: ApiName): number {
  const answers = Object.entries(counters).filter(
    ([name]) =>
      name === `${api}_acknowledged` ||
      name === `${api}_unexpected` ||
      name.startsWith(`${api}_refused_`) ||
      name.startsWith(`${api}_error_http_`),
  );
  return (counters[`${api}_sent`] ?? 0) - answers.reduce((sum, [, count]) => sum + count, 0);
}
