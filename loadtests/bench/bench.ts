import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, relative } from 'node:path';
import { inState } from '../../engines/directory.ts';
import type { Engines } from '../../engines/engines.ts';
import { findK6 } from '../../engines/k6.ts';
import { readEngine } from '../../engines/running/read.ts';
import { masked } from '../../engines/say.ts';
import { findSysbench } from '../../engines/sysbench.ts';
import { up } from '../../engines/up.ts';
import { findWrk } from '../../engines/wrk.ts';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { createTopics } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { parseSlo } from '../k6/lib/slo.ts';
import { createRawDatabase } from '../raw/database.ts';
import { reportPage } from '../report/page.ts';
import type { Invariants, Results, ScenarioResult } from '../report/results.ts';
import { showProgress } from '../seed/progress.ts';
import { seed } from '../seed/seed.ts';
import { openStack, type Stack } from '../verify/stack.ts';
import { type Apis, startApis } from './apis.ts';
import { type BenchArguments, parseArguments, USAGE } from './arguments.ts';
import { Clients } from './clients.ts';
import { BenchFailure } from './failure.ts';
import { OTHERS } from './gather.ts';
import { readInvariants } from './invariants.ts';
import { benchKube } from './kube/bench.ts';
import { describeMachine } from './machine.ts';
import { Progress } from './progress.ts';
import { nameOfRun, type Recorder, runEvents } from './run-events.ts';
import { type Raw, runScenario } from './run-scenario.ts';
import { resultsText } from './table.ts';
import { EXIT_CODES, judge } from './verdict.ts';

const COUPON = 'test-coupon-1';

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
  const config = parseConfig(process.env);
  if (given.seed) {
    say(`seeding ${given.users} users`);
    const { databaseUrl, redisUrl, kafkaBrokers, namespace } = config;
    const { seconds } = await seed({
      users: given.users,
      databaseUrl,
      redisUrl,
      kafkaBrokers,
      namespace,
      onProgress: showProgress(process.stderr),
    });
    say(`seeded in ${seconds.toFixed(1)} s`);
  }

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
  await events.tell('start', given.profile);
  const troubles = { failed: [] as string[], open: [] as string[] };
  for (const name of given.scenarios) {
    if (interrupted.aborted || apis?.ended()) break;
    const outcome = await runScenario(name, {
      given,
      k6,
      wrk,
      baseUrl,
      slo,
      stack,
      clients,
      raw,
      progress,
      events,
      interrupted,
    });
    if (outcome.result) scenarios.push(outcome.result);
    troubles.open.push(...outcome.open);
    troubles.failed.push(...outcome.failed);
  }
  const died = apis?.ended();
  if (died) troubles.failed.push(`the APIs ${died} during the run`);
  if (interrupted.aborted) troubles.open.push('the run was interrupted');
  await events.tell('end', given.profile);
  const invariants = interrupted.aborted ? undefined : await verifyAll(config, clients, before, say);
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
    machine: describeMachine(wrk ? versionOfWrk(wrk) : versionOf(k6), given.baseUrl ? undefined : config.workers),
    engines,
    scenarios,
    invariants,
  };
}

async function startEngines(given: BenchArguments, say: (line: string) => void): Promise<Results['engines']> {
  const engines = await up();
  // Before the migrations: a database of somebody else's is left as it is.
  if (engines.mysql.kind === 'external' && given.seed && !given.seedAsked)
    throw new BenchFailure(
      `DATABASE_URL names ${masked(engines.mysql.url)}, which this checkout did not start: --seed deletes what Onrush's tables hold there and fills them with the test data set, --no-seed goes on with the data that is there`,
    );
  process.env.DATABASE_URL = engines.mysql.url;
  process.env.REDIS_URL = engines.redis.url;
  process.env.KAFKA_BROKERS = engines.kafka.brokers;
  const config = parseConfig(process.env);
  const sequelize = openSequelize(config.databaseUrl, 2);
  try {
    const ran = await migrate(sequelize, namesOf(config.namespace).migrationLock);
    if (ran.length > 0) say(`migrations run: ${ran.join(', ')}`);
  } finally {
    await sequelize.close();
  }
  await createTopics(config);
  return enginesOf(engines);
}

const enginesOf = ({ mysql, redis, kafka }: Pick<Engines, 'mysql' | 'redis' | 'kafka'>): Results['engines'] =>
  Object.entries({ mysql, redis, kafka }).map(([name, { version, kind, durability }]) => ({
    name,
    version,
    kind,
    durability,
  }));

/** Of a deployment that runs already: only asked what they are. */
async function readEngines(): Promise<Results['engines']> {
  const { databaseUrl, redisUrl, kafkaBrokers } = parseConfig(process.env);
  const read = async (name: 'mysql' | 'redis' | 'kafka', endpoint: string) => {
    const reading = await readEngine(name, { kind: 'external', endpoint });
    return { name, kind: 'external', ...reading };
  };
  return Promise.all([read('mysql', databaseUrl), read('redis', redisUrl), read('kafka', kafkaBrokers.join(','))]);
}

async function prepareRaw(
  given: BenchArguments,
  { databaseUrl }: Config,
  say: (line: string) => void,
): Promise<Raw | undefined> {
  if (given.profile !== 'saturate' || given.baseUrl) return undefined;
  const sysbench = await findSysbench();
  say('preparing a database of its own for the engine’s ceiling');
  return { sysbench, database: await createRawDatabase(databaseUrl) };
}

async function verifyAll(
  config: Config,
  clients: Clients,
  before: Awaited<ReturnType<Stack['before']>>,
  say: (line: string) => void,
): Promise<Invariants | undefined> {
  say('verifying what the database holds');
  try {
    return await readInvariants(config, clients.figures(before, COUPON));
  } catch (error) {
    say(`the verifier could not do its work: ${(error as Error).message}`);
    return undefined;
  }
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
    notes.push('saturate has no pauses: its latency follows from the number of virtual users and is held to no target');
  const repeatedUsers = scenarios.some(({ apis }) => apis.some(({ refused }) => (refused.C006 ?? 0) > 0));
  if (given.profile === 'saturate' && repeatedUsers)
    notes.push('there were too few users for one coupon each: the rest was refused (C006); raise --users');
  for (const { name, cores } of scenarios) {
    const others = cores.find(({ label }) => label === OTHERS)?.cores ?? 0;
    if (others > cpus().length / 8)
      notes.push(`${name}: other programs took ${others.toFixed(1)} of the machine’s ${cpus().length} cores meanwhile`);
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
  const results = given.kube
    ? await benchKube(given, given.kube, interrupt.signal)
    : await bench(given, interrupt.signal);
  const directory = write(results);
  console.log(resultsText(results));
  console.error(`report: ${relative(process.cwd(), join(directory, 'report.html'))}`);
  process.exit(EXIT_CODES[results.verdict]);
});
