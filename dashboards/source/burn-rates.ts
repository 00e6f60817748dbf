import { EACH, type Recording } from './alert.ts';
import { budget, onrush } from './metrics.ts';
import { ALERT, divide, minus, or, queries, sum, times, type Vector } from './promql.ts';
import { APIS, type Api, FAILED, requestsOf, slo, WITHIN } from './slo.ts';

const { rate, rateWithin } = queries(ALERT);

/** Share of requests that may be late. */
const LATE = Number((1 - WITHIN).toFixed(4));

/**
 * How fast the budget of bad requests is being spent: at 1 it lasts exactly as long as it should. A short window beside
 * each long one, so that an alert ends soon after its cause.
 */
export const BURN_RATES: readonly Recording[] = APIS.flatMap((api) =>
  (['5m', '30m', '1h', '6h'] as const).flatMap((window) => {
    const { name: record } = budget[`burn${window}`];
    return [
      { record, expr: divide(failed(api, window), slo[api].error_rate), labels: { api, slo: 'errors' } },
      { record, expr: divide(late(api, window), LATE), labels: { api, slo: 'latency' } },
    ];
  }),
);

/** Share of requests that failed: zero, and not nothing, where none did. */
function failed(api: Api, window: string): Vector<'namespace'> {
  const bad = sum(rate(onrush.duration, { ...requestsOf(api), status: FAILED }, window), EACH);
  return divide(or(bad, times(0, requests(api, window))), requests(api, window));
}

function late(api: Api, window: string): Vector<'namespace'> {
  const good = sum(rateWithin(slo[api].p95_ms / 1000, onrush.duration, requestsOf(api), window), EACH);
  return minus(1, divide(good, requests(api, window)));
}

function requests(api: Api, window: string): Vector<'namespace'> {
  return sum(rate(onrush.duration, requestsOf(api), window), EACH);
}
