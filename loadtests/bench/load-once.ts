import type { ApiName, Slo } from '../k6/lib/slo.ts';
import type { RawDatabase } from '../raw/database.ts';
import type { ScenarioResult } from '../report/results.ts';
import type { Stack } from '../verify/stack.ts';
import type { BenchArguments } from './arguments.ts';
import type { Clients } from './clients.ts';
import type { Reading } from './exposition.ts';
import { gather } from './gather.ts';
import type { LoadRun } from './load.ts';
import { enginePids } from './processors.ts';
import type { Progress } from './progress.ts';
import type { RunEvents } from './run-events.ts';
import type { Scenario } from './scenarios.ts';
import { readMetrics, watch } from './watch.ts';

/** Where the engine's ceiling is measured, and with what. */
export interface Raw {
  database: RawDatabase;
  sysbench: string | undefined;
}

export interface Run {
  given: BenchArguments;
  k6: string;
  /** Drives the scenarios that it can, if given. */
  wrk: string | undefined;
  baseUrl: string;
  slo: Record<ApiName, Slo>;
  stack: Stack;
  clients: Clients;
  raw: Raw | undefined;
  progress: Progress;
  events: RunEvents;
  interrupted: AbortSignal;
}

export interface Once {
  /** Absent if the load generator told nothing. */
  result: ScenarioResult | undefined;
  /** What keeps this load from being judged. */
  open: string[];
}

/** Queues are given this long to empty before the run counts as undrained. Milliseconds. */
const DRAIN = 120_000;

/**
 * Puts one load on the APIs and joins what its clients saw with what the servers counted, once the queues are empty.
 * @param generate the load; puts the generator's process into `pids`.
 */
export async function loadOnce(
  name: string,
  scenario: Pick<Scenario, 'title' | 'apis'>,
  run: Run,
  generate: (pids: Record<string, number>) => Promise<LoadRun>,
): Promise<Once> {
  const { baseUrl, slo, stack, clients, progress, events, interrupted } = run;
  const open: string[] = [];
  const before = await readMetrics(baseUrl).catch(() => undefined);
  const pids = await enginePids();
  const watching = watch(() => readMetrics(baseUrl), name, scenario.apis, slo, pids, progress);
  await events.tell('stage', scenario.title);
  const load = await generate(pids);
  const after = await readMetrics(baseUrl).catch(() => undefined);
  const watched = await watching.stop();
  if (load.crash) open.push(`${name}: ${load.crash}`);
  if (!load.summary) return { result: undefined, open };
  clients.add(load.summary);

  let drainSeconds: number | undefined;
  if (!interrupted.aborted) {
    const { seconds, reasons } = await stack.untilDrained(DRAIN);
    if (reasons.length > 0) open.push(`${name}: not drained after ${seconds.toFixed(0)} s: ${reasons.join(', ')}`);
    else drainSeconds = seconds;
  }
  const drained: Reading | undefined = await readMetrics(baseUrl).catch(() => undefined);
  if (!before || !after || !drained) open.push(`${name}: the server’s own metrics could not be read`);
  const readings = before && after && drained ? { before, after, drained } : undefined;
  const result = gather(name, scenario, slo, load.summary, watched, readings);
  return { result: { ...result, drainSeconds, raw: undefined }, open };
}
