import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Results } from '../report/results.ts';
import { objects, start } from './commands.ts';

export interface BenchRun {
  code: number;
  results: Results;
}

const TEST_RUNS = {
  coupon: 'coupon-issue',
  charge: 'balance-charge',
  order: 'order-payment',
  journey: 'journey',
  spike: 'spike',
};

/**
 * One `npm run bench -- --kube` of so many seconds, on fresh data unless it goes on with what is there. While its load runs,
 * `meanwhile` is called. `vus` percent of the published virtual users.
 */
export async function bench(
  scenario: keyof typeof TEST_RUNS,
  seconds: number,
  data: 'fresh' | 'as it is',
  meanwhile: () => Promise<void> = async () => {},
  vus = 100,
): Promise<BenchRun> {
  const directory = mkdtempSync(join(tmpdir(), 'onrush-cluster-'));
  const args = [
    'loadtests/bench/bench.ts',
    '--kube',
    '--profile',
    'smoke',
    '--only',
    scenario,
    '--users',
    '20000',
    '--seconds',
    String(seconds),
    '--vus',
    String(vus),
  ];
  const { ended, log } = start(
    `bench-${scenario}`,
    process.execPath,
    [...args, ...(data === 'fresh' ? [] : ['--no-seed'])],
    {
      env: { ...process.env, ONRUSH_BENCH_RESULTS: directory },
    },
  );
  const began = Date.now();
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over && !runnersRun(TEST_RUNS[scenario], began)) await sleep(300);
  if (!over) await meanwhile();
  const code = await ended;
  try {
    return { code, results: JSON.parse(readFileSync(join(directory, 'latest', 'results.json'), 'utf8')) as Results };
  } catch {
    throw new Error(`the bench ended with ${code} and without results:\n${log()}`);
  }
}

/** Whether this run's load, and not that of an earlier one, is under way. */
function runnersRun(testRun: string, since: number): boolean {
  const pods = objects('pods', '-l', `k6_cr=${testRun},runner=true`);
  const starters = objects('pods', '-l', `k6_cr=${testRun}`).filter(({ metadata }) =>
    metadata.name.includes('-starter'),
  );
  return (
    pods.length > 0 &&
    pods.every(
      ({ status, metadata }) => status.phase === 'Running' && Date.parse(metadata.creationTimestamp) > since - 2_000,
    ) &&
    starters.some(({ status }) => status.phase === 'Succeeded' || status.phase === 'Running')
  );
}
