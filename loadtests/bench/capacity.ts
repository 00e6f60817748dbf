import { cpus } from 'node:os';
import type { ApiName } from '../k6/lib/slo.ts';
import type { K6Summary } from '../k6/lib/summary.ts';
import type { Capacity, CapacityStep, ScenarioResult } from '../report/results.ts';
import { BenchFailure } from './failure.ts';
import { OTHERS, STOLEN } from './gather.ts';
import { loadOnce, type Once, type Run } from './load-once.ts';
import { type Scenario, type ScenarioName, scenarioOf } from './scenarios.ts';
import { runWrk, unanswered } from './wrk.ts';

/** Requests a second of the first step. */
const FROM: Partial<Record<ScenarioName, number>> = {
  coupon: 1_000,
  'charge-hot': 1_000,
  'charge-spread': 1_000,
  order: 400,
};

/** How a step's rate follows from the one before it, and how near to the knee the search comes. */
const GROWTH = 1.5;
const NEAR = 1.1;
/** Who does not hold this many a second has no capacity worth a search. */
const LEAST = 10;
/**
 * A rate is held while nothing fails; of what is sent, this much is accepted, and no more lacks its answer at the end than the
 * last p99 milliseconds brought; and a hundredth at most is sent late or waits longer.
 */
const HELD = { answered: 0.98, late: 0.01, p99: 100 };
/** Connections for each request a second: an answer may take a quarter of a second before one is missing. */
const CONNECTIONS = 0.25;
/**
 * A rate is lost when it was not held so often in a row: in five seconds one pause of the machine, which says nothing about the
 * rate, is more than a hundredth of the requests.
 */
const TRIES = 3;
/** Wallets that one load charges. */
const USERS_LEAST = 10_000;
/**
 * Length of a step, of what comes before the first, for the compiler, and of the run at half of the capacity, in which a tenth of a
 * second, as the connections are made, is to be less than a hundredth, also where the users only suffice for the least. Seconds.
 */
const STEP = 5;
const WARM_UP = 3;
const HALF = 30;
const HALF_LEAST = 10;
/** So much longer a load may last: wrk looks at its clock every 100 ms. Seconds. */
const TICK = 0.2;
/** From this share on a processor is full. */
const FULL = 0.9;

/** Raises a constant rate until it is not held any more, closes in on the knee, then looks at half of it. */
export async function findCapacity(
  wrk: string,
  name: ScenarioName,
  run: Run,
): Promise<{ capacity: Capacity | undefined; open: string[] }> {
  const { title, apis, env, wrk: load }: Scenario = scenarioOf('saturate', name);
  const from = FROM[name];
  const [api] = apis;
  if (!load || !from || !api) throw new BenchFailure(`${name} has no load of a constant rate`);
  const open: string[] = [];
  const steps: CapacityStep[] = [];
  let sent = 0;
  const at = async (rate: number, seconds: number): Promise<CapacityStep | undefined> => {
    // Nobody asks for a coupon twice, as long as there are users.
    const { users } = run.given;
    if (users - sent < Math.max(rate * (seconds + TICK), USERS_LEAST)) {
      if (name === 'coupon') open.push(`${name}: the users did not suffice for one coupon each; raise --users`);
      sent = 0;
    }
    const settings = { ...env, BASE_URL: run.baseUrl, FIRST_USER: String(1 + sent), USERS: String(users - sent) };
    run.progress.say(`${name}  ${rate} a second, ${seconds} s`);
    const atRate = { ...load, rate, connections: Math.max(load.connections, Math.ceil(CONNECTIONS * rate)) };
    let summary: K6Summary | undefined;
    const once: Once = await loadOnce(name, { title, apis }, run, async (pids) => {
      const load = await runWrk(wrk, atRate, settings, seconds, run.interrupted, (pid) => {
        pids.wrk = pid;
      });
      summary = load.summary;
      return load;
    });
    open.push(...once.open);
    // As many as loadtests/wrk took in turn.
    sent += summary?.counters[`${api}_sent`] ?? Math.ceil(rate * (seconds + TICK));
    return once.result && summary && stepOf(rate, api, once.result, summary);
  };
  /** Whole seconds for which there are users without the coupon. */
  const lastsFor = (rate: number): number =>
    name === 'coupon' ? Math.floor((run.given.users - sent) / rate - TICK) : Number.POSITIVE_INFINITY;
  const untilHeld = async (rate: number, seconds: number): Promise<CapacityStep | undefined> => {
    let step = await at(rate, seconds);
    for (let tries = 1; step && !step.held && tries < TRIES && !run.interrupted.aborted; tries++)
      step = await at(rate, seconds);
    return step;
  };
  let held: CapacityStep | undefined;
  let lost: CapacityStep | undefined;
  await at(from, WARM_UP);
  for (let rate = from; !run.interrupted.aborted; ) {
    const step = await untilHeld(Math.round(rate), run.given.seconds ?? STEP);
    if (!step) break;
    steps.push(step);
    if (step.held) held = step;
    else lost = step;
    if (!lost) rate *= GROWTH;
    else if (!held) rate = lost.rate / GROWTH ** 2;
    else if (lost.rate / held.rate < NEAR) break;
    else rate = Math.sqrt(held.rate * lost.rate);
    if (rate < LEAST) break;
  }
  if (!held || !lost) return { capacity: undefined, open: [...open, `${name}: no capacity was found`] };
  const rate = Math.round(held.rate / 2);
  const seconds = run.given.seconds ?? Math.min(HALF, lastsFor(rate));
  const suffices = seconds >= (run.given.seconds ?? HALF_LEAST);
  if (!suffices) open.push(`${name}: the users did not suffice for half of the capacity; raise --users`);
  const half = suffices ? await at(rate, seconds) : undefined;
  steps.sort((a, b) => a.rate - b.rate);
  return { capacity: { name, title, steps, knee: held.rate, limit: limitOf(lost), half }, open };
}

function stepOf(
  rate: number,
  name: ApiName,
  { apis: [api], cores, lockWaits, seconds }: ScenarioResult,
  { counters, dropped }: K6Summary,
): CapacityStep {
  const { acknowledged = 0, client } = api ?? {};
  const { p50 = 0, p99 = 0, failed = 0 } = client ?? {};
  const sent = counters[`${name}_sent`] ?? 0;
  return {
    rate,
    acknowledged: acknowledged / seconds,
    p50,
    p99,
    failed,
    held:
      failed === 0 &&
      acknowledged >= HELD.answered * sent &&
      unanswered(counters, name) <= (rate * HELD.p99) / 1_000 &&
      dropped <= HELD.late * sent &&
      p99 <= HELD.p99,
    cores,
    waits: lockWaits.map(({ at, p95 }) => ({ at, p95 })),
  };
}

/** What was full where the rate was not held. */
function limitOf({ cores, waits }: CapacityStep): string {
  const of = (label: string) => cores.find((one) => one.label === label)?.cores ?? 0;
  const all = cores.reduce((sum, { cores: used }) => sum + used, 0);
  const machine = cpus().length;
  const busiest = cores
    .filter(({ label }) => label !== OTHERS && label !== STOLEN)
    .toSorted((a, b) => b.cores - a.cores)[0];
  if (all >= FULL * machine) {
    const named = [...(busiest ? [`${busiest.label} ${busiest.cores.toFixed(2)}`] : [])];
    for (const taken of [OTHERS, STOLEN]) if (of(taken) >= 0.1) named.push(`${taken} ${of(taken).toFixed(2)}`);
    return `the machine’s ${machine} cores${named.length > 0 ? `, of which ${named.join(', ')}` : ''}`;
  }
  if (of('APIs') >= FULL) return 'the core of the API process';
  const longest = waits.toSorted((a, b) => b.p95 - a.p95)[0];
  return longest ? `waits at ${longest.at} (p95 ${longest.p95.toFixed(0)} ms)` : 'nothing that was measured';
}
