import { readFileSync } from 'node:fs';
import { labels } from '../../engines/engines.ts';
import { API_NAMES, parseSlo } from '../k6/lib/slo.ts';
import { type Cell, total } from './cells.ts';
import { type EngineSet, startEngineSet } from './engine-set.ts';
import type { Fault } from './fault.ts';
import { judge } from './judge.ts';
import { MATRIX_CELLS, settledAfter } from './matrix.ts';
import { type RunResult, run } from './run.ts';
import { openScene, type Scene } from './scene.ts';

/** The matrix in short: the fault begins soon and ends soon, and the load goes on for a while. Seconds. */
const AT = 2;
const LASTS = 4;
const SECONDS = 11;
const RATES = { coupon: 10, charge: 10, order: 6 };
/** Four fifths of those who ask, nine tenths of whom ask for the first time. */
const COUPONS = Math.ceil(RATES.coupon * SECONDS * 0.8);
const TIMEOUT = 5_000;

const slo = parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'));
let engines: EngineSet;
let scene: Scene;
beforeAll(async () => {
  engines = await startEngineSet();
  scene = await openScene(engines, { users: 1_000, processes: 2, requestTimeoutMs: TIMEOUT });
}, 240_000);
afterAll(async () => {
  await scene?.close();
  await engines?.stop();
}, 120_000);

async function runWith(fault: Fault, on: Scene = scene): Promise<RunResult> {
  const result = await run(on, { faults: [fault], seconds: SECONDS, rates: RATES, coupons: COUPONS });
  const failures = API_NAMES.map((api) => `${api} ${total(result.cells[api].unavailable)}/${result.cells[api].sent}`);
  console.info(
    `${labels[fault.engine]} ${fault.kind}: 503s ${failures.join(', ')}; settled ${settledAfter(result).toFixed(0)} s after`,
  );
  return result;
}

/** However much the machine has to do besides, this few requests may miss their deadline without a fault. */
const ALMOST_NONE = 0.05;
const failing = ({ unavailable, broken, gaveUp, errors, sent }: Cell) =>
  (total(unavailable) + broken + gaveUp + errors) / sent;

function expectUnaffected(...cells: Cell[]): void {
  for (const cell of cells) expect(failing(cell)).toBeLessThan(ALMOST_NONE);
}

/** Invariants hold, every answer came by its deadline, and the queues emptied. */
function expectPass(result: RunResult): void {
  const { verdict, reasons } = judge(result, TIMEOUT, slo);
  expect({ verdict, reasons }).toEqual({ verdict: 'PASS', reasons: [] });
  expect(result.cells.coupon.sent).toBeGreaterThan(90);
}

/** Of the cells that the fault took away from the clients, at least so many requests. */
function expectAffected(cell: Cell): void {
  expect(total(cell.unavailable)).toBeGreaterThan(3);
  expect(cell.withoutRetryAfter).toBe(0);
}

const EXPECTED = {
  mysql: 'coupons are promised on; charges and orders are told so, and none of them is lost or done twice',
  redis: 'charges and orders go on, on MySQL alone; coupons are told so, and none is promised twice',
  kafka: 'nobody notices, and what waited is delivered afterwards',
};

describe.each(MATRIX_CELLS)('with $engine under "$kind"', ({ engine, kind }) => {
  it(EXPECTED[engine], async () => {
    const result = await runWith({ engine, kind, at: AT, lasts: LASTS });
    const { coupon, charge, order } = result.cells;
    expectPass(result);
    expect(settledAfter(result)).toBeLessThan(45);
    // Connections that are reset are there again at once, and a pause ends before the deadlines do.
    const away = kind === 'kill' || kind === 'black-hole';
    if (engine === 'kafka') expectUnaffected(coupon, charge, order);
    if (engine === 'redis') {
      expectUnaffected(charge, order);
      if (away || kind === 'pause') expectAffected(coupon);
    }
    if (engine === 'mysql') {
      expectUnaffected(coupon);
      if (away) for (const cell of [charge, order]) expectAffected(cell);
    }
    if (kind === 'slow') expectUnaffected(coupon, charge, order);
  }, 240_000);
});

/** Answers to requests of an API that were sent while the fault lasted. */
const during = ({ requests }: RunResult, api: string) =>
  requests.filter(
    (request) => request.api === api && request.sentAt > 1_000 * AT && request.sentAt < 1_000 * (AT + LASTS),
  );

it('tells charges at once that MySQL was killed, not at their deadline', async () => {
  const result = await runWith({ engine: 'mysql', kind: 'kill', at: AT, lasts: LASTS });
  expectPass(result);
  const times = during(result, 'charge').map(
    ({ sentAt, answeredAt = Number.POSITIVE_INFINITY }) => answeredAt - sentAt,
  );
  times.sort((a, b) => a - b);
  expect(times.length).toBeGreaterThan(20);
  // The first of them may look for what became of a commit for a second.
  expect(times[Math.floor(times.length / 2)]).toBeLessThan(1_000);
}, 240_000);

it('closes the gate of a Redis that was emptied, rebuilds it, and issues no coupon too many', async () => {
  // Gates that nobody asks for stay closed: those of the coupons before.
  await scene.close();
  scene = await openScene(engines, { users: 1_000, processes: 2, requestTimeoutMs: TIMEOUT, replica: true });
  const result = await runWith({ engine: 'redis', kind: 'flush', at: AT, lasts: 0 });
  expectPass(result);
  expectUnaffected(result.cells.charge, result.cells.order);
  expect(result.cells.coupon.unavailable.C503).toBeGreaterThan(0);
  expect(result.samples.at(-1)?.gateOpen).toBe(true);
  // Some had been promised and were not relayed yet; how many is told.
  expect(result.invariants.lostPromises).toBeGreaterThanOrEqual(0);
  expect(result.invariants.lostPromises).toBeLessThan(30);
  const issued = result.invariants.checks.find(({ id }) => id === 'coupon-total');
  expect(issued).toMatchObject({ status: 'ok' });
}, 240_000);

it('is fenced from a replica that had fallen behind and took over', async () => {
  const result = await runWith({ engine: 'redis', kind: 'failover', at: AT, lasts: 3 });
  expectPass(result);
  expectUnaffected(result.cells.charge, result.cells.order);
  // The replica has a gate: a copy, from before. It must not be taken for open.
  expect(result.cells.coupon.unavailable.C503).toBeGreaterThan(0);
  expect(result.samples.at(-1)?.gateOpen).toBe(true);
  expect(result.invariants.lostPromises).toBeGreaterThanOrEqual(0);
}, 240_000);
