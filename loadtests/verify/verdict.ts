import type { Check, NotChecked } from './check.ts';
import type { Backlog } from './drained.ts';
import type { ClientFigures } from './figures.ts';
import type { Mapping } from './mapping.ts';

export interface VerifyOptions {
  databaseUrl: string;
  /** What needs an engine that is not given is not checked. */
  redisUrl?: string | undefined;
  kafkaBrokers?: string[] | undefined;
  namespace: string;
  clients?: ClientFigures | undefined;
  /** Onrush's own schema, if not given. */
  mapping?: Mapping | undefined;
  allowLostPromises?: boolean | undefined;
}

export interface Verdict {
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
  /** Why it is not PASS, one line each. */
  reasons: string[];
  checks: Check[];
  notChecked: NotChecked[];
  /** Coupons that were promised (202) and neither issued nor rejected; null if that cannot be told. */
  lostPromises: number | null;
  backlog: Backlog;
  seconds: number;
}
