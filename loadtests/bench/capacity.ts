import { cpus } from 'node:os';
import type { Capacity, CapacityStep, ScenarioResult } from '../report/results.ts';
import { OTHERS, STOLEN } from './gather.ts';
import { loadOnce, type Once, type Run } from './load-once.ts';
import { runVegeta, type Write } from './vegeta.ts';

/** A write at a constant rate, of which the most that is served is looked for. */
interface Searched {
  title: string;
  api: 'coupon' | 'charge' | 'order';
  /** Requests a second of the first step. */
  from: number;
  /** `nth` counts over all steps, so that nobody asks for a coupon twice; `step` varies the won. */
  write(nth: number, step: number, users: number): Write;
}

const charge =
  (wallets: number) =>
  (_nth: number, step: number): Write => {
    const won = 1_000 * (1 + (step % 10));
    const user = 1 + Math.floor(Math.random() * wallets);
    return { path: `/api/users/test-user-${user}/balance/charge`, body: { amount: won }, won };
  };

const SEARCHED = {
  coupon: {
    title: 'Coupons, each user once',
    api: 'coupon',
    from: 1_000,
    write: (nth, _step, users) => ({
      path: '/api/coupons/test-coupon-1/issue',
      body: { userId: `test-user-${1 + (nth % users)}` },
      won: 0,
    }),
  },
  'charge-hot': { title: 'Charges on 10 wallets', api: 'charge', from: 1_000, write: charge(10) },
  'charge-spread': { title: 'Charges on 10,000 wallets', api: 'charge', from: 1_000, write: charge(10_000) },
  order: {
    title: 'Orders of three products',
    api: 'order',
    from: 400,
    write: (nth, _step, users) => ({ path: '/api/orders', body: { userId: `test-user-${1 + (nth % users)}` }, won: 0 }),
  },
} satisfies Record<string, Searched>;

export type SearchedName = keyof typeof SEARCHED;

/** How a step's rate follows from the one before it, and how near to the knee the search comes. */
const GROWTH = 1.5;
const NEAR = 1.1;
/** Who does not hold this many a second has no capacity worth a search. */
const LEAST = 10;
/** A rate is held while nothing fails, what is asked for is answered, and a hundredth at most waits longer. */
const HELD = { answered: 0.98, p99: 100 };
/**
 * A rate is lost when it was not held so often in a row: in five seconds one pause of the machine, which says nothing about the
 * rate, is more than a hundredth of the requests.
 */
const TRIES = 3;
/** Length of a step, of what comes before the first, for the compiler, and of the run at half of the capacity. Seconds. */
const STEP = 5;
const WARM_UP = 3;
const HALF = 10;
/** From this share on a processor is full. */
const FULL = 0.9;

/** Raises a constant rate until it is not held any more, closes in on the knee, then looks at half of it. */
export async function findCapacity(
  vegeta: string,
  name: SearchedName,
  run: Run,
): Promise<{ capacity: Capacity | undefined; open: string[] }> {
  const { title, api, from, write }: Searched = SEARCHED[name];
  const open: string[] = [];
  const steps: CapacityStep[] = [];
  let sent = 0;
  const at = async (rate: number, seconds: number): Promise<CapacityStep | undefined> => {
    const first = sent;
    sent += rate * seconds;
    run.progress.say(`${name}  ${rate} a second, ${seconds} s`);
    const load = { api, rate, seconds, write: (nth: number) => write(first + nth, steps.length, run.given.users) };
    const once: Once = await loadOnce(name, { title, apis: [api] }, run, (pids) =>
      runVegeta(vegeta, run.baseUrl, load, run.interrupted, (pid) => {
        pids.vegeta = pid;
      }),
    );
    open.push(...once.open);
    return once.result && stepOf(rate, once.result);
  };
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
  const half = await at(Math.round(held.rate / 2), run.given.seconds ?? HALF);
  steps.sort((a, b) => a.rate - b.rate);
  return { capacity: { name, title, steps, knee: held.rate, limit: limitOf(lost), half }, open };
}

function stepOf(rate: number, { apis: [api], cores, lockWaits, seconds }: ScenarioResult): CapacityStep {
  const acknowledged = (api?.acknowledged ?? 0) / seconds;
  const { p50 = 0, p99 = 0, failed = 0 } = api?.client ?? {};
  return {
    rate,
    acknowledged,
    p50,
    p99,
    failed,
    held: failed === 0 && acknowledged >= HELD.answered * rate && p99 <= HELD.p99,
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
