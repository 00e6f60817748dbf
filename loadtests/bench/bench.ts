import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, relative } from 'node:path';
import { inState } from '../../engines/directory.ts';
import { findK6 } from '../../engines/k6.ts';
import { findSysbench } from '../../engines/sysbench.ts';
import { findWrk } from '../../engines/wrk.ts';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { benchCompare } from '../compare/bench.ts';
import { ownCommit } from '../compare/checkout.ts';
import { entryOf, record } from '../compare/ledger.ts';
import { parseSlo } from '../k6/lib/slo.ts';
import { createRawDatabase } from '../raw/database.ts';
import { reportPage } from '../report/page.ts';
import type { Capacity, Results, ScenarioResult } from '../report/results.ts';
import { openStack } from '../verify/stack.ts';
import { type Apis, environmentOfApis, startApis } from './apis.ts';
import { type BenchArguments, parseArguments, USAGE } from './arguments.ts';
import { findCapacity } from './capacity.ts';
import { Clients } from './clients.ts';
import { OTHERS, STOLEN } from './gather.ts';
import { benchKube } from './kube/bench.ts';
import type { Raw, Run } from './load-once.ts';
import { describeMachine } from './machine.ts';
import { COUPON, readEngines, seedData, startEngines, verifyAll } from './prepare.ts';
import { Progress } from './progress.ts';
import { nameOfRun, type Recorder, runEvents } from './run-events.ts';
import { runScenario } from './run-scenario.ts';
import { scenarioOf } from './scenarios.ts';
import { resultsText } from './table.ts';
import { EXIT_CODES, judge } from './verdict.ts';

/**
 * Brings everything up, loads it, verifies what it left behind, and reports; returns the results, of which the verdict
 * is one. Engines are left running; the APIs are stopped unless they are to be kept.
 */
async function bench(given: BenchArguments, interrupted: AbortSignal): Promise<Results> {
  const began = new Date();
  const progress = new Progress(process.stderr);
  const say = (line: string) => progress.say(line);
  const slo = parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'));
  const events = runEvents(recorder(), nameOfRun(began), say);
  const k6 = await findK6();
  const wrk = given.generator === 'wrk' ? await findWrk() : undefined;
  const engines = given.baseUrl ? await readEngines() : await startEngines(given, say);
  const config = parseConfig(environmentOfApis(process.env));
  if (given.seed) await seedData(config, given.users, say);

  await using running = new AsyncDisposableStack();
  const apis = given.baseUrl ? undefined : await startApis(config.port);
  if (apis) running.defer(() => end(apis, given.keep && !interrupted.aborted, say));
  const baseUrl = given.baseUrl ?? (apis as Apis).baseUrl;
  if (apis?.live) say(`to watch: ${baseUrl}/live`);
  const stack = await openStack(config);
  running.defer(() => stack.close());
  const raw = await prepareRaw(given, config, say);
  if (raw) running.defer(() => raw.database.drop());

  await stack.untilGateOpen(COUPON);
  const before = await stack.before();
  const clients = new Clients();
  const scenarios: ScenarioResult[] = [];
  const capacity: Capacity[] = [];
  const run: Run = { given, k6, wrk, baseUrl, slo, stack, clients, raw, progress, events, interrupted };
  await events.tell('start', given.profile);
  const troubles = { failed: [] as string[], open: [] as string[] };
  for (const name of given.scenarios) {
    if (interrupted.aborted || apis?.ended()) break;
    if (given.capacity && wrk) {
      const found = await findCapacity(wrk, name, run);
      if (found.capacity) capacity.push(found.capacity);
      troubles.open.push(...found.open);
      continue;
    }
    const outcome = await runScenario(name, run);
    if (outcome.result) scenarios.push(outcome.result);
    troubles.open.push(...outcome.open);
    troubles.failed.push(...outcome.failed);
  }
  const died = apis?.ended();
  if (died) troubles.failed.push(`the APIs ${died} during the run`);
  if (interrupted.aborted) troubles.open.push('the run was interrupted');
  await events.tell('end', given.profile);
  const invariants = interrupted.aborted ? undefined : await verifyAll(config, clients.figures(before, COUPON), say);
  const judged = judge(scenarios, invariants, troubles);
  await events.tell('verdict', judged.verdict);

  return {
    version: 1,
    startedAt: began.toISOString(),
    seconds: (Date.now() - began.getTime()) / 1000,
    profile: given.profile,
    users: given.users,
    baseUrl,
    ...judged,
    notes: notesOf(given, scenarios),
    machine: describeMachine(wrk ? versionOfWrk(wrk) : versionOf(k6), given.baseUrl ? undefined : config),
    engines,
    scenarios,
    invariants,
    ...(given.capacity ? { capacity } : {}),
  };
}

async function prepareRaw(
  given: BenchArguments,
  { databaseUrl }: Config,
  say: (line: string) => void,
): Promise<Raw | undefined> {
  if (given.baseUrl || given.capacity) return undefined;
  if (!given.scenarios.some((name) => scenarioOf(given.profile, name).raw)) return undefined;
  const sysbench = await findSysbench();
  say('preparing a database of its own for the engine’s ceiling');
  return { sysbench, database: await createRawDatabase(databaseUrl) };
}

async function end(apis: Apis, keep: boolean, say: (line: string) => void): Promise<void> {
  if (keep && !apis.ended()) {
    apis.leave();
    say(`the APIs go on at ${apis.baseUrl}: kill ${apis.pid} stops them, npm run down the engines`);
  } else await apis.stop();
}

function versionOf(k6: string): string {
  const { stdout } = spawnSync(k6, ['version'], { encoding: 'utf8' });
  return /^k6\S* v?[\d.]+/.exec(stdout)?.[0] ?? 'k6';
}

function versionOfWrk(wrk: string): string {
  const { stdout } = spawnSync(wrk, ['-v'], { encoding: 'utf8' });
  return `wrk ${/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? ''}`.trim();
}

function notesOf(given: BenchArguments, scenarios: ScenarioResult[]): string[] {
  const notes: string[] = [];
  if (given.profile === 'smoke')
    notes.push('smoke looks at correctness: five seconds say nothing about latency or rate');
  if (given.profile === 'saturate')
    notes.push(
      given.capacity
        ? 'a rate is held while nothing fails, 98 % is accepted, p99 stays under 100 ms and 1 % at most is sent over 10 ms late'
        : 'saturate has no pauses: its latency follows from the number of virtual users and is held to no target',
    );
  const repeatedUsers = scenarios.some(({ apis }) => apis.some(({ refused }) => (refused.C006 ?? 0) > 0));
  if (given.profile === 'saturate' && repeatedUsers)
    notes.push('there were too few users for one coupon each: the rest was refused (C006); raise --users');
  for (const { name, cores } of scenarios) {
    for (const [label, who] of [
      [OTHERS, 'other programs'],
      [STOLEN, 'the machine’s host'],
    ]) {
      const taken = cores.find((one) => one.label === label)?.cores ?? 0;
      if (taken > cpus().length / 8)
        notes.push(`${name}: ${who} took ${taken.toFixed(1)} of the machine’s ${cpus().length} cores meanwhile`);
    }
  }
  for (const { name, dropped } of scenarios)
    if (dropped > 0) notes.push(`${name}: ${dropped} iterations were dropped for want of a free virtual user`);
  return notes;
}

/** The Prometheus that ONRUSH_BENCH_PROMETHEUS names. */
function recorder(): Recorder | undefined {
  const url = process.env.ONRUSH_BENCH_PROMETHEUS;
  return url ? { fromHere: url, fromK6: url } : undefined;
}

/** results.json and report.html in a directory of this run, which `latest` beside it then points to. */
function write(results: Results): string {
  const all = process.env.ONRUSH_BENCH_RESULTS || inState('results');
  const directory = join(all, nameOfRun(new Date(results.startedAt)));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(directory, 'report.html'), reportPage(results));
  const latest = join(all, 'latest');
  rmSync(latest, { force: true });
  symlinkSync(basename(directory), latest);
  return directory;
}

runAsProgram('loadtests/bench/bench.ts', async () => {
  const given = parseArguments(process.argv.slice(2));
  if (given === 'help') {
    console.log(USAGE);
    return;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
  if (given.compare) process.exit(await benchCompare(given, given.compare, interrupt.signal));
  const results = given.kube
    ? await benchKube(given, given.kube, interrupt.signal)
    : await bench(given, interrupt.signal);
  const directory = write(results);
  console.log(resultsText(results));
  if (given.record) record(entryOf(ownCommit(), results));
  console.error(`report: ${relative(process.cwd(), join(directory, 'report.html'))}`);
  process.exit(EXIT_CODES[results.verdict]);
});
