/** Number of requests and the won they moved. */
export interface Flow {
  count: number;
  won: number;
  /** Each request's won times the weight of its wallet (k6/lib/weight.ts). Not told by every generator. */
  weighed?: number | undefined;
}

/** What the database held when a run began: only what came since is compared with the clients' figures. */
export interface Before {
  charges: Flow;
  orders: Flow;
  issued: number;
  rejected: number;
}

/**
 * What the load generators saw in one run. `sent` counts keyed writes once, however often they were repeated;
 * `acknowledged` those that got a definite success; `unresolved` those whose last answer still was a timeout, reset or
 * 5xx. Where every write carries an Idempotency-Key and nothing is unresolved, acknowledged must equal the rows.
 */
export interface ClientFigures {
  before: Before;
  coupon?: { couponId: string; sent: number; accepted: number; unresolved: number };
  charge?: { sent: Flow; acknowledged: Flow; unresolved: Flow };
  /** An order's won are known from its answer only, so `sent` and `unresolved` count requests. */
  order?: { sent: number; acknowledged: Flow; unresolved: number };
  /** False for scripts without keys: acknowledged ≤ rows ≤ sent is all that can be asked. */
  keyed: boolean;
}
