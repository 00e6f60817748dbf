import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiName } from '../k6/lib/slo.ts';
import { openAgent, post, type Reply } from './post.ts';

/** One write and what its client saw of it. Times are milliseconds since the load's beginning. */
export interface Request {
  api: ApiName;
  path: string;
  key: string;
  body: Record<string, unknown>;
  /** Won that a charge moves. */
  amount: number;
  sentAt: number;
  /** Undefined while the client waits. */
  answeredAt: number | undefined;
  /** The first answer; replays come after the load. */
  reply: Reply | undefined;
}

export interface TrafficOptions {
  urls: string[];
  couponId: string;
  users: number;
  /** Ends the load. */
  until: AbortSignal;
  /** Requests a second. */
  rates: Record<ApiName, number>;
  /** A client goes away after so long; the server should have answered before. Milliseconds. */
  patienceMs: number;
}

export interface Traffic {
  requests: Request[];
  /** Milliseconds since the load began. */
  now(): number;
  /** Resolves when the last request has been sent, and every one answered or given up. */
  done: Promise<void>;
}

/** Wallets that most charges go to, so that they meet at the same rows. */
const HOT_WALLETS = 20;
/** Of so many coupon requests one is a second one of a user that asked before. */
const ASKED_TWICE = 10;
/** Of so many orders one uses the coupon. */
const DISCOUNTED = 4;

/**
 * Load on the three APIs at once, at fixed rates whatever the answers (an open loop: clients do not wait for each other),
 * each write under a key of its own and sent once.
 */
export function startTraffic(options: TrafficOptions): Traffic {
  const began = performance.now();
  const now = () => performance.now() - began;
  const requests: Request[] = [];
  const agent = openAgent();
  const open = new Set<Promise<void>>();
  const prefix = `rush-${Date.now().toString(36)}`;
  const promised = new Set<unknown>();
  const make = requestsOf(options, promised);

  const send = (api: ApiName) => {
    const url = options.urls[requests.length % options.urls.length] as string;
    const made: Request = {
      api,
      key: `${prefix}-${requests.length}`,
      amount: 0,
      sentAt: now(),
      answeredAt: undefined,
      reply: undefined,
      ...make[api](),
    };
    requests.push(made);
    const answered = post(agent, url + made.path, made.key, made.body, options.patienceMs).then((reply) => {
      made.reply = reply;
      made.answeredAt = now();
      if (reply.status === 202) promised.add(made.body.userId);
      open.delete(answered);
    });
    open.add(answered);
  };

  const run = async (api: ApiName) => {
    const rate = options.rates[api];
    for (let n = 0; rate > 0; n++) {
      const wait = (n / rate) * 1_000 - now();
      if (wait > 0) await sleep(wait, undefined, { signal: options.until }).catch(() => {});
      if (options.until.aborted) return;
      send(api);
    }
  };
  const done = (async () => {
    await Promise.all((Object.keys(options.rates) as ApiName[]).map(run));
    await Promise.all(open);
    agent.destroy();
  })();
  return { requests, now, done };
}

type Made = Pick<Request, 'path' | 'body'> & { amount?: number };

/** Coupons: every user once, now and then somebody a second time. Orders go round the users, some with their coupon. */
function requestsOf({ couponId, users }: TrafficOptions, promised: Set<unknown>): Record<ApiName, () => Made> {
  let asked = 0;
  let ordered = 0;
  let sent = 0;
  const user = (n: number) => `test-user-${1 + (n % users)}`;
  return {
    coupon() {
      const again = ++sent % ASKED_TWICE === 0 && asked > 5;
      const userId = user(again ? asked - 5 : asked++);
      return { path: `/api/coupons/${couponId}/issue`, body: { userId } };
    },
    charge() {
      const amount = 1_000 * (1 + Math.floor(Math.random() * 10));
      const userId = user(Math.floor(Math.random() * (Math.random() < 0.7 ? HOT_WALLETS : users)));
      return { path: `/api/users/${userId}/balance/charge`, body: { amount }, amount };
    },
    order() {
      const userId = user(ordered++);
      const discounted = ordered % DISCOUNTED === 0 && promised.has(userId);
      return { path: '/api/orders', body: { userId, ...(discounted ? { couponId } : {}) } };
    },
  };
}
