import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import type { K6Summary } from '../../k6/lib/summary.ts';
import { BenchFailure } from '../failure.ts';
import { type Cluster, type Item, NotFound, type Pod } from './cluster.ts';

/** A TestRun as k8s/testruns has it, as far as it is changed here. */
interface TestRun extends Item {
  spec: {
    parallelism: number;
    runner: { image: string; env: { name: string; value: string }[] };
    initializer: { image: string; env: { name: string; value: string }[] };
  };
  status?: { stage?: string };
}

export interface RunnerOptions {
  parallelism: number;
  image: string;
  env: Record<string, string>;
}

/** What became of one runner. A lost one (its pod evicted, deleted, out of memory) has no summary that could be trusted. */
export interface RunnerEnd {
  name: string;
  summary: K6Summary | undefined;
  /** 0: thresholds held; 99: one is broken. */
  exitCode: number | undefined;
  /** Why nothing is known of its part of the load. */
  lost: string | undefined;
}

const GROUP = 'k6.io/v1alpha1';
const HELD = 0;
const BROKEN = 99;
const STARTS_WITHIN_MS = 180_000;
const LOOK_AGAIN_MS = 1_000;

/**
 * Starts the TestRun of a file with other numbers, waits until all its runners have ended, and reads how: from the exit codes
 * and logs of the runners' own pods, because the TestRun's stage is "finished" whatever came out. The TestRun stays, to be
 * looked at, until the next one of its name.
 * @param patienceMs how long the runners may take once they have started.
 * @throws BenchFailure if the cluster has no k6-operator, or no runner ever started.
 */
export async function runTestRun(
  cluster: Cluster,
  file: string,
  options: RunnerOptions,
  patienceMs: number,
  interrupted: AbortSignal,
): Promise<RunnerEnd[]> {
  const testRun = configured(parse(readFileSync(file, 'utf8')) as TestRun, options);
  const { name } = testRun.metadata;
  await replace(cluster, testRun);
  const runners = Array.from({ length: options.parallelism }, (_, index) => `${name}-${index + 1}`);
  const seen = new Map<string, Pod>();
  let startedAt: number | undefined;
  const asked = Date.now();
  for (;;) {
    const pods = await cluster.list<Pod>('v1', 'pods', `k6_cr=${name},runner=true`);
    for (const pod of pods) seen.set(runnerOf(pod), pod);
    if (startedAt === undefined && pods.some(({ status }) => status.phase !== 'Pending')) startedAt = Date.now();
    if (seen.size === options.parallelism && [...seen.values()].every((pod) => isOver(pod, pods))) break;
    if (interrupted.aborted) break;
    if (startedAt === undefined) await failIfStuck(cluster, name, asked);
    else if (Date.now() > startedAt + patienceMs) break;
    await sleep(LOOK_AGAIN_MS);
  }
  const ends = await Promise.all(runners.map((runner) => endOf(cluster, runner, seen.get(runner))));
  if (interrupted.aborted) await cluster.delete(GROUP, 'testruns', name);
  return ends;
}

/** The operator names a runner's Job, and this label of its pods, after the TestRun and a number. */
const runnerOf = (pod: Pod): string => pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? pod.metadata.name;

const k6Of = (pod: Pod) => pod.status.containerStatuses?.find(({ name }) => name === 'k6')?.state.terminated;

/** Ended, or taken away: a pod that is no longer listed will not tell anything more. */
const isOver = (pod: Pod, listed: Pod[]): boolean =>
  k6Of(pod) !== undefined ||
  pod.status.phase === 'Failed' ||
  !listed.some(({ metadata }) => metadata.uid === pod.metadata.uid);

function configured(testRun: TestRun, { parallelism, image, env }: RunnerOptions): TestRun {
  const wanted: Record<string, string> = { ...env, RUNNERS: String(parallelism) };
  const { runner } = testRun.spec;
  const kept = runner.env.filter(({ name }) => wanted[name] === undefined);
  const set = { ...runner, image, env: [...kept, ...Object.entries(wanted).map(([name, value]) => ({ name, value }))] };
  return { ...testRun, spec: { ...testRun.spec, parallelism, runner: set, initializer: set } };
}

async function replace(cluster: Cluster, testRun: TestRun): Promise<void> {
  const { name } = testRun.metadata;
  await cluster.delete(GROUP, 'testruns', name);
  for (let tries = 0; tries < 120; tries++) {
    const left = await cluster.list('v1', 'pods', `k6_cr=${name}`);
    const gone = await cluster.get(cluster.path(GROUP, 'testruns', name)).then(
      () => false,
      (error) => error instanceof NotFound,
    );
    if (gone && left.length === 0) break;
    await sleep(LOOK_AGAIN_MS);
  }
  try {
    await cluster.create(GROUP, 'testruns', testRun);
  } catch (error) {
    if (error instanceof NotFound)
      throw new BenchFailure('the cluster knows no TestRun: install the k6-operator (README.md, In a cluster)');
    throw error;
  }
}

async function failIfStuck(cluster: Cluster, name: string, asked: number): Promise<void> {
  const testRun = await cluster.get<TestRun>(cluster.path(GROUP, 'testruns', name));
  if (testRun.status?.stage === 'error')
    throw new BenchFailure(`the TestRun ${name} is in error: kubectl -n ${cluster.namespace} describe testrun ${name}`);
  if (Date.now() > asked + STARTS_WITHIN_MS)
    throw new BenchFailure(
      `no runner of the TestRun ${name} started within ${STARTS_WITHIN_MS / 1000} s: kubectl -n ${cluster.namespace} get pods -l k6_cr=${name}`,
    );
}

async function endOf(cluster: Cluster, name: string, pod: Pod | undefined): Promise<RunnerEnd> {
  const lost = (why: string): RunnerEnd => ({ name, summary: undefined, exitCode: undefined, lost: why });
  if (!pod) return lost('it never started');
  const ended = k6Of(pod);
  if (!ended)
    return lost(pod.status.phase === 'Failed' ? 'its pod failed' : 'its pod went away, or did not end in time');
  if (ended.exitCode !== HELD && ended.exitCode !== BROKEN)
    return lost(`k6 ended with ${ended.exitCode}${ended.reason ? ` (${ended.reason})` : ''}`);
  const summary = await cluster
    .text(`${cluster.path('v1', 'pods', pod.metadata.name)}/log?container=k6`)
    .then(summaryIn, () => undefined);
  if (!summary) return lost('its pod kept no summary');
  return { name, summary, exitCode: ended.exitCode, lost: undefined };
}

/** The scripts write it to stderr as one line (k6/lib/end.ts), which the log has among everything else. */
export function summaryIn(log: string): K6Summary | undefined {
  const line = log.split('\n').findLast((text) => text.includes('{"seconds":'));
  return line === undefined ? undefined : (JSON.parse(line.slice(line.indexOf('{"seconds":'))) as K6Summary);
}
