import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiName } from '../k6/lib/slo.ts';
import { openStack } from '../verify/stack.ts';
import type { Verdict } from '../verify/verdict.ts';
import { verify } from '../verify/verify.ts';
import { type Cell, cellsOf } from './cells.ts';
import { FaultFailure } from './failure.ts';
import { begin, type Fault } from './fault.ts';
import { figuresOf } from './figures.ts';
import { openAgent, post } from './post.ts';
import { replayToDefinite } from './replay.ts';
import { type Sample, startSampler } from './samples.ts';
import type { Scene } from './scene.ts';
import { type Request, startTraffic } from './traffic.ts';

export interface RunOptions {
  faults: Fault[];
  /** Length of the load. An engine that takes its time to start again prolongs it, so that as much comes after the faults. */
  seconds: number;
  rates: Record<ApiName, number>;
  /** Quantity of the coupon that this run is about. */
  coupons: number;
  interrupted?: AbortSignal;
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

/** Time for ambiguous answers to become definite, and then for the queues to empty. Milliseconds. */
const REPLAYS = 60_000;
const DRAIN = 90_000;
/** A client waits so much longer than the server has said it would take. */
const CLIENT_PATIENCE = 5_000;

/** A Redis that loses what it had answered for loses promises; their number is told and is no violation. */
const losesPromises = ({ kind }: Fault): boolean => kind === 'flush' || kind === 'failover';

/** Loads the three APIs, does what was asked to the engines meanwhile, and reads back what is left. */
export async function run(scene: Scene, options: RunOptions): Promise<RunResult> {
  const { direct, urls, users, requestTimeoutMs } = scene;
  const { faults, seconds, rates } = options;
  const couponId = await newCoupon(urls[0] as string, options.coupons);
  const before = await untilSettled(scene, couponId);

  const enough = new AbortController();
  const traffic = startTraffic({
    urls,
    couponId,
    users,
    rates,
    patienceMs: requestTimeoutMs + CLIENT_PATIENCE,
    until: options.interrupted ? AbortSignal.any([options.interrupted, enough.signal]) : enough.signal,
  });
  const sampler = startSampler(
    { ...scene.data, couponId },
    () => direct.redisUrl,
    traffic.now,
    (sample) => options.onSample?.(sample, traffic.requests),
  );
  const ends = faults.map(async (fault) => {
    await pause(fault.at * 1_000 - traffic.now(), options.interrupted);
    if (options.interrupted?.aborted) return 0;
    const end = await begin(scene, fault);
    options.onFault?.(fault, 'begins');
    await pause(fault.lasts * 1_000, options.interrupted);
    await end();
    if (scene.replica && fault.kind === 'failover') direct.redisUrl = scene.replica.url;
    options.onFault?.(fault, 'ends');
    return traffic.now();
  });
  const faultsEndedAt = Math.max(0, ...(await Promise.all(ends)));
  const plannedEnd = Math.max(0, ...faults.map(({ at, lasts }) => at + lasts)) * 1_000;
  const left = seconds * 1_000 - plannedEnd + faultsEndedAt - traffic.now();
  await pause(left, options.interrupted);
  enough.abort();
  await traffic.done;
  if (options.interrupted?.aborted) {
    await sampler.stop();
    throw new FaultFailure('interrupted');
  }

  const last = await replayToDefinite(urls, traffic.requests, REPLAYS);
  const clients = figuresOf(last, couponId, before);
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

const pause = (milliseconds: number, interrupted: AbortSignal | undefined): Promise<unknown> =>
  sleep(Math.max(0, milliseconds), undefined, interrupted ? { signal: interrupted } : {}).catch(() => {});

/** Each run has a coupon of its own, so that everybody can have it and it can sell out. */
async function newCoupon(url: string, totalQuantity: number): Promise<string> {
  const agent = openAgent();
  const day = 24 * 3_600_000;
  const coupon = {
    name: 'First come, first served',
    discountType: 'FIXED',
    discountValue: 1_000,
    minOrderAmount: 0,
    totalQuantity,
    validFrom: new Date(Date.now() - day).toISOString(),
    validUntil: new Date(Date.now() + day).toISOString(),
  };
  const reply = await post(agent, `${url}/api/coupons`, 'coupon', coupon, 10_000);
  agent.destroy();
  if (reply.status !== 201) throw new FaultFailure(`the coupon could not be created: ${JSON.stringify(reply)}`);
  return String((reply as { body: Record<string, unknown> }).body.couponId);
}

/** What an earlier run left to do is done before the next one begins. */
async function untilSettled({ direct }: Scene, couponId: string) {
  const stack = await openStack(direct);
  try {
    await stack.untilGateOpen(couponId);
    const { reasons } = await stack.untilDrained(DRAIN);
    if (reasons.length > 0) throw new FaultFailure(`the queues were not empty before the run: ${reasons.join(', ')}`);
    return await stack.before();
  } finally {
    await stack.close();
  }
}
