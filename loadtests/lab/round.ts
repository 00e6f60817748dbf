import { readMetrics } from '../bench/watch.ts';
import { seed } from '../seed/seed.ts';
import { startServices } from '../test/start-services.ts';
import { readBefore } from '../verify/before.ts';
import type { ClientFigures } from '../verify/figures.ts';
import { type Mapping, ONRUSH } from '../verify/mapping.ts';
import { verify } from '../verify/verify.ts';
import { idOf } from './arguments.ts';
import { Clients, type Seen } from './clients.ts';
import { LOADS, type Load } from './loads.ts';
import type { Place } from './place.ts';
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
  seen: Seen;
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
  /** Invariants that are violated. */
  red: string[];
  reasons: string[];
}

/** In the lab nobody relays the outbox, so an event that was not published is no backlog. */
const MAPPING: Mapping = {
  ...ONRUSH,
  events: `SELECT aggregate_id AS order_id, 0 AS pending, status = 'FAILED' AS failed FROM outbox_events`,
};

/** Fresh rows, a fresh process, the load, and the verdict on what it left behind. */
export async function runRound(
  place: Place,
  strategy: Strategy,
  time: { warmup: number; seconds: number },
): Promise<Round> {
  const load = LOADS[strategy.write];
  const { databaseUrl, namespace } = place.config;
  await seed({ databaseUrl, namespace, users: load.users });
  const before = await readBefore(place.connection, MAPPING);
  const { measured, seen, waits, effort } = await loadStrategy(place, strategy, load, time);
  const judged = await verify({
    databaseUrl,
    namespace,
    mapping: MAPPING,
    clients: figures(strategy, seen, before),
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
    seen,
    verdict: judged.verdict,
    red: judged.checks.filter(({ status }) => status === 'violated').map(({ id }) => id),
    reasons: judged.reasons,
  };
}

/** Starts the strategy's process, sends it the load, and stops it. */
async function loadStrategy(place: Place, strategy: Strategy, load: Load, time: { warmup: number; seconds: number }) {
  const server = await startStrategy(place, strategy);
  const clients = new Clients(server.url, load.clients);
  try {
    let before = await readMetrics(server.url);
    const measured = await clients.sendFor(time, load.next, async () => {
      before = await readMetrics(server.url);
    });
    const after = await readMetrics(server.url);
    return { measured, seen: clients.seen, waits: waitsBetween(before, after), effort: effortBetween(before, after) };
  } finally {
    clients.close();
    await server.stop();
  }
}

/** A request may wait for as long as it takes: a strategy is slow here, not refused. */
function startStrategy(place: Place, strategy: Strategy) {
  const env = { ...place.env, ONRUSH_REQUEST_TIMEOUT_MS: '30000', ONRUSH_LOCK_WAIT_TIMEOUT_S: '30' };
  const log = `lab-${strategy.write}-${strategy.name}`;
  if ('services' in strategy)
    return startServices({ ...env, ROLES: strategy.services, ONRUSH_CART_AFTER_ORDER: 'keep' }, log);
  return startServices({ ...env, ONRUSH_WRITE_POOL: '16' }, log, ['loadtests/lab/server.ts', idOf(strategy)]);
}

function figures({ write }: Strategy, seen: Seen, before: ClientFigures['before']): ClientFigures {
  const { sent, acknowledged, unresolved } = seen;
  if (write === 'charge') return { before, keyed: true, charge: { sent, acknowledged, unresolved } };
  throw new Error(write);
}
