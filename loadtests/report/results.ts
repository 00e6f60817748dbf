import type { K6Requests } from '../k6/lib/summary.ts';

/** results.json: everything that the report shows, and nothing it does not need. Times are milliseconds unless named. */
export interface Results {
  version: 1;
  startedAt: string;
  seconds: number;
  profile: string;
  users: number;
  baseUrl: string;
  verdict: Verdict;
  /** One line for each thing that keeps the verdict from PASS. */
  reasons: string[];
  /** Worth knowing, but no reason. */
  notes: string[];
  machine: { label: string; value: string }[];
  engines: { name: string; version: string; kind: string; durability: Record<string, string> }[];
  scenarios: ScenarioResult[];
  invariants: Invariants | undefined;
  capacity?: Capacity[];
}

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE';

export interface ScenarioResult {
  name: string;
  title: string;
  seconds: number;
  apis: ApiResult[];
  lockWaits: LockWait[];
  /** Of the processes that answer requests; `background` of those that only relay and consume, for each of the same requests. */
  cpu:
    | { microsecondsPerRequest: number; cores: number; background?: { microsecondsPerRequest: number; cores: number } }
    | undefined;
  /** Cores of this machine that each program used, where they can be told apart. */
  cores: { label: string; cores: number }[];
  /** Of the largest process that answers requests, at its peak. */
  rssBytes: number | undefined;
  /** Requests one transaction served on average, by combiner. */
  batches: { combiner: string; mean: number }[];
  issueLag: { count: number; p50: number; p99: number } | undefined;
  drainSeconds: number | undefined;
  dropped: number;
  thresholds: { metric: string; expression: string; ok: boolean }[];
  raw: RawCeiling | undefined;
  bare?: BareExpress | undefined;
  /** Each round's accepted requests, where there were several; the rest is of the one in the middle. */
  rounds?: { perSecond: number }[];
  /** Every five seconds. */
  resources?: ResourcePoint[];
}

/** What the APIs' processes held at one moment. */
export interface ResourcePoint {
  second: number;
  heapBytes: number;
  rssBytes: number;
  /** Files and sockets. */
  descriptors: number;
  /** Time spent collecting garbage since the start. */
  gcSeconds: number;
}

export interface ApiResult {
  api: string;
  /** As the clients saw it. */
  client: K6Requests;
  /** Successes, and those a second. */
  acknowledged: number;
  acknowledgedPerSecond: number;
  /** Refusals of business rules by code; errors by class. */
  refused: Record<string, number>;
  errors: Record<string, number>;
  /** As the server counted it: share of requests that were answered within the target and not by a 5xx. */
  withinSlo: number | undefined;
  published: { p95: number; tps: number };
  timeline: { second: number; perSecond: number; p50: number | null; p95: number | null }[];
}

export interface LockWait {
  at: string;
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

/** Transactions a second of the same SQL, one transaction a request, on the engine alone. */
export interface RawCeiling {
  runs: { label: string; perSecond: number }[];
  best: number;
  /** Acknowledged requests of the APIs a second over those of the best; of several rounds the median of each one's ratio. */
  ratio: number;
}

export interface Invariants {
  verdict: Verdict;
  reasons: string[];
  seconds: number;
  /** Coupons that were promised and never issued nor rejected; null if that cannot be told. */
  lostPromises: number | null;
  checks: InvariantCheck[];
}

export interface InvariantCheck {
  id: string;
  group: string;
  title: string;
  status: 'ok' | 'violated' | 'unknown' | 'not checked';
  reason: string | undefined;
  /** Rows looked at. */
  checked: number;
  violations: number;
  /** The first of them. */
  rows: Record<string, unknown>[];
}

/** Express in its default setup, which answers the same POSTs and does nothing. */
export interface BareExpress {
  perSecond: number;
  /** CPU of its process. */
  microsecondsPerRequest: number;
  /** Acknowledged requests of the APIs a second over its own; of several rounds the median of each one's ratio. */
  ratio: number;
  /** CPU of the process that answers for a request, over its own; likewise. */
  cpuRatio: number;
  /** With the CPU that relaying and consuming take for the same request. */
  cpuRatioWithBackground: number;
}

/** The most of one write that is served at a constant rate. */
export interface Capacity {
  name: string;
  title: string;
  /** By rate. */
  steps: CapacityStep[];
  /** The highest rate that was held. Requests a second. */
  knee: number;
  /** What was full beyond it. */
  limit: string;
  /** At half of the knee. */
  half: CapacityStep | undefined;
}

export interface CapacityStep {
  /** Requests sent a second, and successes. */
  rate: number;
  acknowledged: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  failed: number;
  held: boolean;
  cores: { label: string; cores: number }[];
  waits: { at: string; p95: number }[];
}
