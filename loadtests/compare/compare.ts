import { type Apis, startApis } from '../bench/apis.ts';
import { growth } from '../bench/exposition.ts';
import { BenchFailure } from '../bench/failure.ts';
import type { Run } from '../bench/load-once.ts';
import { COUPON } from '../bench/prepare.ts';
import { type Scenario, type ScenarioName, scenarioOf } from '../bench/scenarios.ts';
import { REQUESTS, readMetrics } from '../bench/watch.ts';
import { heldTo, runWrk, type WrkLoad } from '../bench/wrk.ts';
import { type Comparison, compare, type Triple } from './judge.ts';

/** Each program is started anew for each round: what one start is lucky with must not count for all. */
const WARM = 1;
const SECONDS = 4;
const SIDES = ['reference', 'again', 'changed'] as const;
type Side = (typeof SIDES)[number];

/** Users of its own that each side of a round has, the first of them for warming up. */
const WARM_USERS = 10_000;
const USERS_EACH = 45_000;

/** A coupon is asked for once by each user, and an order takes money that the next side's would miss. */
const takesUsers = (scenarios: ScenarioName[]): boolean => scenarios.includes('coupon') || scenarios.includes('order');

/** Users that so many rounds need. */
export const usersFor = (scenarios: ScenarioName[], rounds: number): number =>
  takesUsers(scenarios) ? rounds * SIDES.length * USERS_EACH : 100_000;

type CompareRun = Pick<Run, 'slo' | 'stack' | 'clients' | 'progress' | 'interrupted'> & { wrk: string };

interface Figures {
  perSecond: number;
  microseconds: number;
}

/**
 * Runs two programs in turn on the same engines and data, the reference twice in each round, and judges rate and CPU of each
 * write. What clients saw joins the run's figures, so that the verifier judges all of it.
 * @param trees where each program lies. @param port where they listen, one at a time.
 */
export async function comparePrograms(
  trees: { reference: string; changed: string },
  scenarios: ScenarioName[],
  rounds: number,
  port: number,
  run: CompareRun,
): Promise<Comparison[]> {
  const measured = new Map<ScenarioName, Record<Side, Figures>[]>(scenarios.map((name) => [name, []]));
  let used = 0;
  for (let round = 0; round < rounds && !run.interrupted.aborted; round++) {
    const ofRound = new Map<ScenarioName, Partial<Record<Side, Figures>>>(scenarios.map((name) => [name, {}]));
    // Who goes first, goes last in another round.
    for (const side of SIDES.map((_, at) => SIDES[(at + round) % SIDES.length] as Side)) {
      run.progress.say(`round ${round + 1} of ${rounds}: ${side}`);
      const apis = await startApis(port, side === 'changed' ? trees.changed : trees.reference);
      try {
        await run.stack.untilGateOpen(COUPON);
        for (const name of scenarios) {
          const figures = await measure(name, apis, used, run);
          if (figures) (ofRound.get(name) as Partial<Record<Side, Figures>>)[side] = figures;
        }
        if (takesUsers(scenarios)) used += USERS_EACH;
        await run.stack.untilDrained(60_000);
      } finally {
        await apis.stop();
      }
    }
    for (const [name, sides] of ofRound)
      if (SIDES.every((side) => sides[side])) measured.get(name)?.push(sides as Record<Side, Figures>);
  }
  return scenarios.flatMap((name) => {
    const all = measured.get(name) ?? [];
    const of = (figure: keyof Figures): Triple[] =>
      all.map(({ reference, again, changed }) => ({
        reference: reference[figure],
        again: again[figure],
        changed: changed[figure],
      }));
    if (all.length === 0) return [];
    return [
      compare(name, 'accepted/s', 'more', of('perSecond')),
      compare(name, 'API CPU µs', 'less', of('microseconds')),
    ];
  });
}

async function measure(
  name: ScenarioName,
  { baseUrl }: Apis,
  from: number,
  run: CompareRun,
): Promise<Figures | undefined> {
  const scenario: Scenario = scenarioOf('saturate', name);
  const [api] = scenario.apis;
  if (!scenario.wrk || !api) throw new BenchFailure(`${name} has no load for wrk`);
  const load = async (first: number, users: number, seconds: number, wrk: WrkLoad) => {
    const env = { ...scenario.env, BASE_URL: baseUrl, FIRST_USER: String(1 + first), USERS: String(users) };
    const { summary, crash } = await runWrk(run.wrk, wrk, env, seconds, run.interrupted, () => {});
    if (summary) run.clients.add(summary);
    if (!summary || crash) throw new BenchFailure(`${name}: ${crash ?? 'the generator told nothing'}`);
    for (const { metric, expression, ok } of heldTo(summary, api, run.slo[api]))
      if (!ok) throw new BenchFailure(`${name}: ${metric} ${expression} does not hold`);
    return summary;
  };
  await load(from, WARM_USERS, WARM, scenario.wrk);
  const before = await readMetrics(baseUrl);
  const { counters, seconds } = await load(from + WARM_USERS, USERS_EACH - WARM_USERS, SECONDS, scenario.wrk);
  const after = await readMetrics(baseUrl);
  if (run.interrupted.aborted) return undefined;
  const answered = growth(before, after, `${REQUESTS}_count`);
  return {
    perSecond: (counters[`${api}_acknowledged`] ?? 0) / seconds,
    microseconds: (growth(before, after, 'process_cpu_seconds_total') / answered) * 1e6,
  };
}
