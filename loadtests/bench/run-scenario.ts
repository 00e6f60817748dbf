import type { RawRun } from '../raw/load.ts';
import { measureRaw } from '../raw/raw.ts';
import type { BareExpress, RawCeiling, ScenarioResult } from '../report/results.ts';
import { measureBare } from './bare.ts';
import { flatness } from './flat.ts';
import { type LoadRun, runK6 } from './load.ts';
import { loadOnce, type Once, type Raw, type Run } from './load-once.ts';
import { median } from './median.ts';
import { type Scenario, type ScenarioName, scenarioOf } from './scenarios.ts';
import { heldTo, runWrk, type WrkLoad } from './wrk.ts';

export interface Outcome extends Once {
  /** What a long run must not do. */
  failed: string[];
}

const RAW_SECONDS = 10;
/** Of a run without pauses. */
const SECONDS = 20;

/** Rounds of raw engine and APIs, one right after the other; of several rounds the one with the median rate is kept. */
export async function runScenario(name: ScenarioName, run: Run): Promise<Outcome> {
  const scenario = scenarioOf(run.given.profile, name);
  const rounds: Round[] = [];
  const open: string[] = [];
  const repeat = run.given.profile === 'saturate' ? run.given.repeat : 1;
  for (let round = 0; round < repeat && !run.interrupted.aborted; round++) {
    const raw = scenario.raw && run.raw ? await rawRound(name, scenario.raw, run.raw, run) : [];
    const bare = scenario.wrk && run.wrk ? await bareRound(name, scenario, scenario.wrk, run.wrk, run) : undefined;
    if (run.interrupted.aborted) break;
    const outcome = await loadOnce(name, scenario, run, (pids) =>
      generate(scenario, run, envOf(name, scenario, round, repeat, run), pids),
    );
    open.push(...outcome.open);
    if (outcome.result) rounds.push({ raw, bare, result: outcome.result });
  }
  const result = rounds.toSorted((a, b) => rate(a) - rate(b))[Math.floor(rounds.length / 2)]?.result;
  const flat = run.given.profile === 'soak' ? flatness(result?.resources ?? []) : undefined;
  if (run.given.profile === 'soak' && !flat) open.push(`${name}: too short to tell whether anything grows`);
  const failed = (flat?.growing ?? []).map((grew) => `${name}: ${grew}`);
  const beside = result && { raw: besideRaw(rounds), bare: besideBare(rounds) };
  const each = run.given.profile === 'saturate' ? { rounds: rounds.map((one) => ({ perSecond: rate(one) })) } : {};
  return { result: result && { ...result, ...beside, ...each }, open, failed };
}

async function rawRound(name: string, load: NonNullable<Scenario['raw']>, raw: Raw, run: Run): Promise<RawRun[]> {
  const seconds = run.given.seconds ?? RAW_SECONDS;
  const runs = await measureRaw(raw.sysbench, raw.database.url, load, seconds, run.interrupted, (label) =>
    run.progress.say(`${name}  the engine alone, ${label}, ${seconds} s`),
  );
  return runs;
}

type Bare = Awaited<ReturnType<typeof measureBare>>;

/** Bare Express under the scenario's own load. */
function bareRound(name: string, { env }: Scenario, load: WrkLoad, wrk: string, run: Run): Promise<Bare> {
  const seconds = run.given.seconds ?? RAW_SECONDS;
  run.progress.say(`${name}  bare Express, ${seconds} s`);
  return measureBare(wrk, load, env, seconds, run.interrupted);
}

/** What was measured one right after the other: figures are compared within a round, since the machine drifts. */
interface Round {
  raw: RawRun[];
  bare: Bare | undefined;
  result: ScenarioResult;
}

const rate = ({ result }: Round): number => result.apis[0]?.acknowledgedPerSecond ?? 0;

function besideRaw(rounds: Round[]): RawCeiling | undefined {
  const of = (label: string, { raw }: Round) => raw.find((run) => run.label === label)?.perSecond ?? Number.NaN;
  const runs = (rounds[0]?.raw ?? []).map(({ label }) => ({
    label,
    perSecond: median(rounds.map((round) => of(label, round))),
  }));
  const [best] = runs.toSorted((a, b) => b.perSecond - a.perSecond);
  if (!best) return undefined;
  return { runs, best: best.perSecond, ratio: median(rounds.map((round) => rate(round) / of(best.label, round))) };
}

function besideBare(rounds: Round[]): BareExpress | undefined {
  const measured = rounds.flatMap((round) => (round.bare ? [{ ...round.bare, round }] : []));
  if (measured.length === 0) return undefined;
  const cpu = measured.flatMap(({ microsecondsPerRequest: bare, round: { result } }) =>
    result.cpu
      ? [
          {
            bare,
            own: result.cpu.microsecondsPerRequest,
            background: result.cpu.background?.microsecondsPerRequest ?? 0,
          },
        ]
      : [],
  );
  return {
    perSecond: median(measured.map(({ perSecond }) => perSecond)),
    microsecondsPerRequest: median(measured.map(({ microsecondsPerRequest }) => microsecondsPerRequest)),
    ratio: median(measured.map(({ perSecond, round }) => rate(round) / perSecond)),
    cpuRatio: median(cpu.map(({ own, bare }) => own / bare)),
    cpuRatioWithBackground: median(cpu.map(({ own, background, bare }) => (own + background) / bare)),
  };
}

/** Each round has users of its own, so that nobody has the coupon before. */
function envOf(name: ScenarioName, scenario: Scenario, round: number, rounds: number, { given, baseUrl, events }: Run) {
  const share = Math.floor(given.users / rounds);
  return {
    BASE_URL: baseUrl,
    PROFILE: given.profile,
    USERS: String(share),
    FIRST_USER: String(1 + round * share),
    ...(given.seconds ? { SECONDS: String(given.seconds) } : {}),
    ...(given.vusPercent ? { VUS_PERCENT: String(given.vusPercent) } : {}),
    ...scenario.env,
    ...events.k6Env(name),
  };
}

/** The load itself, by the generator that was asked for; its process joins `pids`. */
async function generate(
  { script, wrk, apis: [api] }: Scenario,
  { k6, wrk: path, given, slo, interrupted }: Run,
  env: Record<string, string> & { BASE_URL: string },
  pids: Record<string, number>,
): Promise<LoadRun> {
  const started = (label: string) => (pid: number) => {
    pids[label] = pid;
  };
  if (!wrk || !path || !api) return runK6(k6, script, env, interrupted, started('k6'));
  const { summary, crash } = await runWrk(path, wrk, env, given.seconds ?? SECONDS, interrupted, started('wrk'));
  return { summary: summary && { ...summary, thresholds: heldTo(summary, api, slo[api]) }, crash };
}
