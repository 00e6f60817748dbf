import { existsSync, readFileSync } from 'node:fs';
import { type ApiName, parseSlo, type Slo } from '../../k6/lib/slo.ts';
import type { Invariants, Results, ScenarioResult } from '../../report/results.ts';
import type { Baseline } from '../../verify/baseline.ts';
import type { Verdict } from '../../verify/verdict.ts';
import type { BenchArguments, KubeArguments } from '../arguments.ts';
import { Clients } from '../clients.ts';
import { BenchFailure } from '../failure.ts';
import { gather } from '../gather.ts';
import { invariantsOf } from '../invariants.ts';
import { Progress } from '../progress.ts';
import { nameOfRun, type Recorder, type RunEvents, runEvents } from '../run-events.ts';
import { type ScenarioName, scenarioOf } from '../scenarios.ts';
import { judge } from '../verdict.ts';
import { watch } from '../watch.ts';
import { Cluster, type Item } from './cluster.ts';
import { Fleet } from './fleet.ts';
import { jsonIn, runJob } from './jobs.ts';
import { describeCluster } from './machine.ts';
import { mergeSummaries } from './merge.ts';
import { runTestRun } from './runners.ts';

const COUPON = 'test-coupon-1';
const PROMETHEUS_PORT = 9090;
const SEED_MS = 600_000;
const BASELINE_MS = 300_000;
const VERIFY_MS = 600_000;
const DRAIN_SECONDS = 120;
/** A published run takes three minutes; one whose answers never come takes the retries' time more. */
const LOAD_MS = 900_000;
/** A look asks every pod, through the API server, for all its metrics: too much work to do each second. */
const LOOK_EVERY_MS = 5_000;

interface Run {
  cluster: Cluster;
  fleet: Fleet;
  given: BenchArguments;
  slo: Record<ApiName, Slo>;
  runners: number;
  loadImage: string;
  baseUrl: string;
  clients: Clients;
  /** A runner is lost: nobody knows what it sent, so its figures cannot be compared with rows. */
  incomplete: boolean;
  progress: Progress;
  events: RunEvents;
  interrupted: AbortSignal;
}

interface Outcome {
  result: ScenarioResult | undefined;
  open: string[];
  notes: string[];
}

/**
 * The load run of a cluster in which the charts are installed: seed Job, one TestRun for each scenario, then the verifier as a
 * Job; judged and reported as a local run is. Pods that came, went or were restarted meanwhile are noted: the verdict tells
 * whether that did any harm.
 * @throws BenchFailure
 */
export async function benchKube(
  given: BenchArguments,
  { context, namespace, runners, loadImage }: KubeArguments,
  interrupted: AbortSignal,
): Promise<Results> {
  const began = new Date();
  const progress = new Progress(process.stderr);
  const cluster = await Cluster.open(namespace, context);
  try {
    const found = await findRelease(cluster);
    const fleet = new Fleet(cluster);
    const run: Run = {
      cluster,
      fleet,
      given,
      slo: parseSlo(readFileSync('loadtests/slo.yaml', 'utf8')),
      runners,
      loadImage: loadImage ?? found.loadImage,
      baseUrl: found.baseUrl,
      clients: new Clients(),
      incomplete: false,
      progress,
      events: runEvents(await findRecorder(cluster), nameOfRun(began), (line) => progress.say(line)),
      interrupted,
    };
    if (given.seed) await seed(run);
    progress.say('reading what the database holds');
    const baseline = await readBaseline(cluster, ['--gate', COUPON]);
    await fleet.changes();
    await run.events.tell('start', given.profile);
    const scenarios: ScenarioResult[] = [];
    const open = baseline.reasons.map((reason) => `before the run ${reason}`);
    const notes: string[] = [];
    for (const name of given.scenarios) {
      if (interrupted.aborted) break;
      const outcome = await runScenario(name, run);
      if (outcome.result) scenarios.push(outcome.result);
      open.push(...outcome.open);
      notes.push(...outcome.notes);
    }
    if (interrupted.aborted) open.push('the run was interrupted');
    await run.events.tell('end', given.profile);
    const invariants = interrupted.aborted ? undefined : await verify(run, baseline);
    const judged = judge(scenarios, invariants, { failed: [], open });
    await run.events.tell('verdict', judged.verdict);
    return {
      version: 1,
      startedAt: began.toISOString(),
      seconds: (Date.now() - began.getTime()) / 1000,
      profile: given.profile,
      users: given.users,
      baseUrl: found.baseUrl,
      ...judged,
      notes,
      machine: await describeCluster(cluster, fleet.sizes(), run.loadImage, runners),
      engines: baseline.engines.map((engine) => ({ ...engine, kind: 'as the cluster sees it' })),
      scenarios,
      invariants,
    };
  } finally {
    cluster.close();
  }
}

/** Where the runners send their requests, and what they run: as the chart that is installed says. */
async function findRelease(cluster: Cluster): Promise<{ baseUrl: string; loadImage: string }> {
  const [edge] = await cluster.list(
    'v1',
    'services',
    'app.kubernetes.io/part-of=onrush,app.kubernetes.io/component=edge',
  );
  if (!edge)
    throw new BenchFailure(
      `the namespace ${cluster.namespace} has no edge Service of Onrush: is the chart installed there?`,
    );
  const [verifier] = await cluster.list<Item>(
    'batch/v1',
    'cronjobs',
    'app.kubernetes.io/part-of=onrush,app.kubernetes.io/component=verify',
  );
  return {
    baseUrl: `http://${edge.metadata.name}`,
    loadImage: verifier?.metadata.annotations?.['onrush.dev/load-image'] ?? 'onrush-load:0.1.0',
  };
}

/** Prometheus of charts/observability, where that is installed beside the application. */
async function findRecorder(cluster: Cluster): Promise<Recorder | undefined> {
  const selector = 'app.kubernetes.io/part-of=onrush,app.kubernetes.io/component=prometheus';
  const [prometheus] = await cluster.list('v1', 'services', selector);
  if (!prometheus) return undefined;
  const { name } = prometheus.metadata;
  return { fromHere: cluster.service(name, PROMETHEUS_PORT), fromK6: `http://${name}:${PROMETHEUS_PORT}` };
}

async function seed({ cluster, given, progress }: Run): Promise<void> {
  progress.say(`seeding ${given.users} users`);
  const args = ['loadtests/seed/seed.ts', '--users', String(given.users)];
  const { exitCode, output } = await runJob(cluster, 'seed', 'onrush-bench-seed', args, SEED_MS);
  if (exitCode !== 0)
    throw new BenchFailure(`the seed Job ended with ${exitCode}: ${output.trim().split('\n').slice(-3).join(' / ')}`);
}

async function readBaseline(cluster: Cluster, more: string[] = []): Promise<Baseline> {
  const args = ['loadtests/verify/baseline.ts', '--wait', String(DRAIN_SECONDS), ...more];
  return jsonIn(await runJob(cluster, 'verify', 'onrush-bench-baseline', args, BASELINE_MS), 'the baseline Job');
}

async function runScenario(name: ScenarioName, run: Run): Promise<Outcome> {
  const { cluster, fleet, given, slo, clients, progress, interrupted } = run;
  const scenario = scenarioOf(given.profile, name);
  const file = `k8s/testruns/${scenario.script.replace('.ts', '.yaml')}`;
  if (!existsSync(file)) throw new BenchFailure(`${name} has no TestRun: ${file} is missing`);
  const read = () => fleet.read();
  const before = await read().catch(() => undefined);
  const watching = watch(read, name, scenario.apis, slo, {}, progress, LOOK_EVERY_MS);
  const env = {
    BASE_URL: run.baseUrl,
    PROFILE: given.profile,
    USERS: String(given.users),
    ...(given.seconds ? { SECONDS: String(given.seconds) } : {}),
    ...(given.vusPercent ? { VUS_PERCENT: String(given.vusPercent) } : {}),
    ...scenario.env,
    ...run.events.k6Env(name),
  };
  await run.events.tell('stage', scenario.title);
  const options = { parallelism: run.runners, image: run.loadImage, env };
  const ends = await runTestRun(cluster, file, options, LOAD_MS, interrupted).finally(() => watching.stop());
  const watched = await watching.stop();
  const after = await read().catch(() => undefined);
  const notes = (await fleet.changes()).map((change) => `${name}: ${change}`);
  const open = ends.flatMap(({ name: runner, lost }) =>
    lost ? [`${name}: the runner ${runner} is lost: ${lost}`] : [],
  );
  if (open.length > 0) run.incomplete = true;
  const summaries = ends.flatMap(({ summary }) => summary ?? []);
  if (summaries.length === 0) return { result: undefined, open, notes };
  const summary = mergeSummaries(summaries);
  clients.add(summary);
  if (interrupted.aborted) return { result: undefined, open, notes };
  const ended = performance.now();
  const { reasons } = await readBaseline(cluster);
  open.push(...reasons.map((reason) => `${name}: not drained after ${DRAIN_SECONDS} s: ${reason}`));
  const drained = await read().catch(() => undefined);
  if (!before || !after || !drained) open.push(`${name}: the pods’ own metrics could not be read`);
  const readings = before && after && drained ? { before, after, drained } : undefined;
  return {
    result: {
      ...gather(name, scenario, slo, summary, watched, readings),
      // The Job that looks takes a second or two to start: at most so long.
      drainSeconds: reasons.length > 0 ? undefined : (performance.now() - ended) / 1000,
      raw: undefined,
    },
    open,
    notes,
  };
}

async function verify(
  { cluster, clients, incomplete, progress }: Run,
  { before }: Baseline,
): Promise<Invariants | undefined> {
  progress.say('verifying what the database holds');
  const figures = incomplete ? [] : ['--clients', JSON.stringify(clients.figures(before, COUPON))];
  const args = ['loadtests/verify/verify.ts', '--json', '-', ...figures];
  try {
    return invariantsOf(
      jsonIn<Verdict>(await runJob(cluster, 'verify', 'onrush-bench-verify', args, VERIFY_MS), 'the verifier Job'),
    );
  } catch (error) {
    progress.say(`the verifier could not do its work: ${(error as Error).message}`);
    return undefined;
  }
}
