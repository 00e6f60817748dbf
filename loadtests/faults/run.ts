import { setTimeout as sleep } from 'node:timers/promises';
import { engineNames, forEachEngine } from '../../engines/engines.ts';
import type { ApiName } from '../k6/lib/slo.ts';
import { type Started, startServices } from '../test/start-services.ts';
import { openStack } from '../verify/stack.ts';
import type { Verdict } from '../verify/verdict.ts';
import { verify } from '../verify/verify.ts';
import { type Cell, cellsOf } from './cells.ts';
import { seedRun } from './data.ts';
import type { EngineSet } from './engine-set.ts';
import { begin, type Fault } from './fault.ts';
import { figuresOf } from './figures.ts';
import { openProxy } from './proxy.ts';
import { replayToDefinite } from './replay.ts';
import { startReplica } from './replica.ts';
import { type Sample, startSampler } from './samples.ts';
import { type Request, startTraffic } from './traffic.ts';

export interface RunOptions {
  faults: Fault[];
  /** Length of the load. */
  seconds: number;
  rates: Record<ApiName, number>;
  users: number;
  coupons: number;
  /** Processes with every role. */
  processes: number;
  /** The deadline of every request. Milliseconds. */
  requestTimeoutMs: number;
  onFault?(fault: Fault, what: 'begins' | 'ends'): void;
  onSample?(sample: Sample, requests: Request[]): void;
}

export interface RunResult {
  cells: Record<ApiName, Cell>;
  samples: Sample[];
  requests: Request[];
  /** Milliseconds since the load began. */
  faultsEndedAt: number;
  /** Answers that were asked for again, and those that never became definite. */
  replayed: number;
  unresolved: number;
  drainSeconds: number;
  invariants: Verdict;
}

/** A Redis that loses what it had answered for loses promises; their number is told and is no violation. */
const losesPromises = ({ kind }: Fault): boolean => kind === 'flush' || kind === 'failover';

/** Time for ambiguous answers to become definite, and then for the queues to empty. Milliseconds. */
const REPLAYS = 60_000;
const DRAIN = 90_000;
/** A client waits so much longer than the server has said it would take. */
export const CLIENT_PATIENCE = 5_000;

/** Loads the three APIs, does what was asked to the engines meanwhile, and reads back what is left. */
export async function run(engines: EngineSet, options: RunOptions): Promise<RunResult> {
  const { faults, seconds, rates, users, requestTimeoutMs } = options;
  await using open = new AsyncDisposableStack();
  const data = await seedRun(engines, users, options.coupons);
  open.defer(() => data.remove());
  const opened = await Promise.all(engineNames.map((name) => openProxy(engines.ports[name], engines.proxyPorts[name])));
  const proxies = forEachEngine((name) => opened[engineNames.indexOf(name)] as (typeof opened)[number]);
  for (const proxy of opened) open.defer(() => proxy.close());

  const through = (url: string, port: number) => Object.assign(new URL(url), { port: String(port) }).toString();
  const env = {
    DATABASE_URL: through(data.databaseUrl, proxies.mysql.port),
    REDIS_URL: through(engines.redisUrl, proxies.redis.port),
    KAFKA_BROKERS: `127.0.0.1:${proxies.kafka.port}`,
    ONRUSH_NAMESPACE: data.namespace,
    ONRUSH_CART_AFTER_ORDER: 'keep',
    ONRUSH_REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
    LOG_LEVEL: 'info',
  };
  const failsOver = faults.some(({ kind }) => kind === 'failover');
  const replica = failsOver ? await startReplica(engines) : undefined;
  if (replica)
    open.defer(async () => {
      await replica.stop();
      await engines.restart('redis');
    });
  const services: Started[] = [];
  open.defer(async () => void (await Promise.all(services.map((one) => one.stop()))));
  for (let n = 1; n <= options.processes; n++) services.push(await startServices(env, `rush-${n}`));
  const urls = services.map(({ url }) => url);

  const direct = {
    databaseUrl: data.databaseUrl,
    redisUrl: engines.redisUrl,
    kafkaBrokers: engines.kafkaBrokers.split(','),
    namespace: data.namespace,
  };
  const stack = await openStack(direct);
  await stack.untilGateOpen(data.couponId);
  const before = await stack.before();
  await stack.close();

  const traffic = startTraffic({
    urls,
    couponId: data.couponId,
    users,
    seconds,
    rates,
    patienceMs: requestTimeoutMs + CLIENT_PATIENCE,
  });
  const sampler = startSampler(
    data,
    () => direct.redisUrl,
    traffic.now,
    (sample) => options.onSample?.(sample, traffic.requests),
  );
  const ends = faults.map(async (fault) => {
    await sleep(Math.max(0, fault.at * 1_000 - traffic.now()));
    const end = await begin({ engines, proxies, replica }, fault);
    options.onFault?.(fault, 'begins');
    await sleep(fault.lasts * 1_000);
    await end();
    if (replica && fault.kind === 'failover') direct.redisUrl = replica.url;
    options.onFault?.(fault, 'ends');
    return traffic.now();
  });
  const faultsEndedAt = Math.max(0, ...(await Promise.all(ends)));
  await traffic.done;

  const last = await replayToDefinite(urls, traffic.requests, REPLAYS);
  const clients = figuresOf(last, data.couponId, before);
  const after = await openStack(direct);
  const { seconds: drainSeconds } = await after.untilDrained(DRAIN);
  await after.close();
  await sampler.stop();
  const invariants = await verify({ ...direct, clients, allowLostPromises: faults.some(losesPromises) });
  const { coupon, charge, order } = clients;
  return {
    cells: cellsOf(traffic.requests, faultsEndedAt),
    samples: sampler.samples,
    requests: traffic.requests,
    faultsEndedAt,
    replayed: [...last].filter(([request, reply]) => request.reply !== reply).length,
    unresolved: (coupon?.unresolved ?? 0) + (charge?.unresolved.count ?? 0) + (order?.unresolved ?? 0),
    drainSeconds,
    invariants,
  };
}
