/*
 * What the server sends and the page shows. Times are milliseconds, rates per second; null where there is nothing to tell:
 * no request, no percentile.
 */

/** The first event of a watcher. Lists name what the points' arrays hold, in their order. */
export interface Hello {
  process: About;
  apis: { title: string; target: number; failedTarget: number }[];
  places: Place[];
  backlogs: { title: string; hint: string }[];
  history: Point[];
}

export interface About {
  pid: number;
  host: string;
  version: string;
  roles: string[];
  /** That share the port and are counted together. */
  processes: number;
}

export interface Place {
  name: string;
  title: string;
  /** As it reads after “wait for”. */
  phrase: string;
  hint: string;
  /** Who waits there: each request by itself, or a transaction, which serves many. */
  who: 'request' | 'transaction';
}

/** One second of the charts. */
export interface Point {
  at: number;
  requests: number[];
  p95: (number | null)[];
  /** Seconds waited in that second by all who did: how many were waiting at once. */
  waiting: number[];
  backlog: (number | null)[];
}

/** The figures beside the charts, over the last ten seconds. */
export interface Now {
  /** How many seconds they cover; fewer at the start. */
  seconds: number;
  health: Health;
  apis: ApiNow[];
  waits: WaitNow[];
  coupons: CouponsNow;
  backlog: (number | null)[];
  outboxOldest: number | null;
  lanes: LaneNow[];
  pools: { title: string; inUse: number; waiting: number; size: number }[];
  inFlight: number;
  /** Of the process that answers. */
  cores: number;
  loopBusy: number;
  memoryBytes: number;
  verdict: LastVerdict | null;
}

export interface ApiNow {
  state: State;
  requests: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** Share that ended in a 5xx or without an answer. */
  failed: number | null;
  /** Answered by a refusal of a business rule. */
  refused: number;
  /** Share that was answered within the target. */
  within: number | null;
}

export interface WaitNow {
  /** Waits a second. */
  count: number;
  waiting: number;
  p95: number | null;
  /** Of the time that requests, or transactions, took altogether. */
  share: number;
}

export interface LaneNow {
  title: string;
  queue: number;
  /** Requests that one transaction served on average. */
  batch: number | null;
}

export interface CouponsNow {
  /** null where another process keeps the gates, and tells. */
  sale: { remaining: number; pending: number; issued: number } | null;
  admitted: number;
  issuedPerSecond: number;
  /** From the promise to the coupon. */
  lag95: number | null;
  gatesClosed: number;
  lost: number;
}

export type State = 'idle' | 'healthy' | 'attention' | 'bad';

export interface Health {
  state: State;
  /** One line each, the worst first. */
  reasons: string[];
  /** What most time goes into waiting for; null where little is waited. */
  heldBy: string | null;
}

export interface LastVerdict {
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
  startedAt: string;
  seconds: number;
  profile: string;
  reasons: string[];
}

export interface Sample {
  point: Point;
  now: Now;
}
