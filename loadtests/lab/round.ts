import { setTimeout as sleep } from 'node:timers/promises';
import { namesOf } from '../../services/core/names.ts';
import { readMetrics } from '../bench/watch.ts';
import { type Started, startServices } from '../test/start-services.ts';
import { readBefore } from '../verify/before.ts';
import { drained } from '../verify/drained.ts';
import type { Before, ClientFigures } from '../verify/figures.ts';
import { type Mapping, ONRUSH } from '../verify/mapping.ts';
import { verify } from '../verify/verify.ts';
import { idOf } from './arguments.ts';
import { Clients, type Seen } from './clients.ts';
import { LOADS, type Load } from './loads.ts';
import type { Place } from './place.ts';
import { prepareRows } from './rows.ts';
import type { Strategy } from './strategies.ts';
import { effortBetween, type Wait, waitsBetween } from './waits.ts';

/** What came of one strategy in one round. */
export interface Round {
  /** Successes a second. */
  tps: number;
  /** Milliseconds. */
  p50: number;
  p95: number;
  p99: number;
  waits: Wait[];
  /** Whole transactions that were run again. */
  retries: number;
  /** CPU of the server for one success, in microseconds. */
  cpu: number;
  /** Cores that the clients used on the same machine. */
  clientCores: number;
  seen: Seen;
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
  /** Invariants that are violated. */
  red: string[];
  reasons: string[];
}

export interface Time {
  /** Seconds that the process is given to warm up under load; they are judged, but not measured. */
  warmup: number;
  seconds: number;
}

/** As many as the engine serves best on two cores. */
const POOL = 16;

/** What was promised is given this long to be settled. Milliseconds. */
const DRAIN = 60_000;

/** In the lab nobody relays the outbox, so an event that was not published is no backlog. */
const MAPPING: Mapping = {
  ...ONRUSH,
  events: `SELECT aggregate_id AS order_id, 0 AS pending, status = 'FAILED' AS failed FROM outbox_events`,
};

/** Fresh rows, a fresh process, the load, and the verdict on what it left behind. */
export async function runRound(place: Place, strategy: Strategy, time: Time, users?: number): Promise<Round> {
  const load = LOADS[strategy.write];
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = place.config;
  await prepareRows(place, strategy, load, users ?? load.users);
  const before = await readBefore(place.connection, MAPPING);
  const { measured, seen, waits, effort } = await underLoad(place, strategy, load, time, users ?? load.users);
  const judged = await verify({
    databaseUrl,
    namespace,
    mapping: MAPPING,
    clients: figures(strategy, seen, before),
    kafkaBrokers: strategy.write === 'coupon' ? kafkaBrokers : undefined,
    // Only our own gate keeps its users where the verifier looks for them.
    redisUrl: strategy.write === 'coupon' && 'services' in strategy ? redisUrl : undefined,
  });
  const sorted = measured.latencies.sort((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return {
    tps: measured.acknowledged / measured.seconds,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    waits,
    retries: effort.retries,
    cpu: (effort.cpuSeconds * 1e6) / measured.acknowledged,
    clientCores: measured.cores,
    seen,
    verdict: judged.verdict,
    red: judged.checks.filter(({ status }) => status === 'violated').map(({ id }) => id),
    reasons: judged.reasons,
  };
}

/** Starts the strategy's process, sends it the load, waits until all is settled, and stops it. */
async function underLoad(place: Place, strategy: Strategy, load: Load, time: Time, users: number) {
  const server = await startStrategy(place, strategy);
  const clients = new Clients(server.url, load.clients);
  try {
    if ('services' in strategy && strategy.write === 'coupon') await untilGatesOpen(place);
    let before = await readMetrics(server.url);
    let after = before;
    const measured = await clients.sendFor(
      time,
      (n) => load.next(n, users),
      async (moment) => {
        const reading = await readMetrics(server.url);
        if (moment === 'began') before = reading;
        else after = reading;
      },
    );
    await clients.sendAll(load.last?.calls(users) ?? []);
    if (strategy.write === 'coupon') await untilSettled(place);
    return { measured, seen: clients.seen, waits: waitsBetween(before, after), effort: effortBetween(before, after) };
  } finally {
    clients.close();
    await server.stop();
  }
}

/** A request may wait for as long as it takes: a strategy is slow here, not refused. */
export function startStrategy({ env, config }: Place, strategy: Strategy): Promise<Started> {
  const patient = { ...env, ONRUSH_REQUEST_TIMEOUT_MS: '30000', ONRUSH_LOCK_WAIT_TIMEOUT_S: '30' };
  const log = `${config.namespace}-${strategy.write}-${strategy.name}`;
  if ('services' in strategy)
    return startServices(
      { ...patient, ROLES: strategy.services, ONRUSH_CART_AFTER_ORDER: 'keep', ONRUSH_MAX_WAIT_MS: '30000' },
      log,
    );
  return startServices({ ...patient, ONRUSH_WRITE_POOL: String(strategy.pool ?? POOL) }, log, [
    'loadtests/lab/server.ts',
    idOf(strategy),
  ]);
}

async function untilGatesOpen({ connection, redis, config }: Place): Promise<void> {
  const [coupons] = await connection.query('SELECT id FROM coupons');
  const gates = (coupons as { id: string }[]).map(({ id }) => namesOf(config.namespace).gate(id));
  for (const until = Date.now() + DRAIN; (await redis.exists(...gates)) < gates.length; await sleep(20))
    if (Date.now() > until) throw new Error('the gates were not built in time');
}

/** Waits until the consumer has got to everything that was promised, or long enough: then the verifier says so. */
async function untilSettled({ connection, redis, kafka, config }: Place): Promise<void> {
  const queues = { connection, redis, kafka, names: namesOf(config.namespace), mapping: MAPPING };
  for (const until = Date.now() + DRAIN; !(await drained(queues)).drained && Date.now() < until; );
}

/** What the verifier compares with the rows. */
function figures({ write }: Strategy, seen: Seen, before: Before): ClientFigures {
  const { sent, acknowledged, unresolved } = seen;
  if (write === 'charge') return { before, keyed: true, charge: { sent, acknowledged, unresolved } };
  if (write === 'order')
    return { before, keyed: true, order: { sent: sent.count, acknowledged, unresolved: unresolved.count } };
  const coupon = { couponId: '', sent: sent.count, accepted: acknowledged.count, unresolved: unresolved.count };
  return { before, keyed: true, coupon };
}
