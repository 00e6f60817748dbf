import { PAUSES } from '../../loadtests/k6/lib/pauses.ts';
import { type Alert, EACH } from './alert.ts';
import type { Metric, Scraped } from './metric.ts';
import { budget, k6, onrush, prometheus, verifier } from './metrics.ts';
import {
  ALERT,
  above,
  and,
  below,
  divide,
  equals,
  like,
  max,
  or,
  overTime,
  queries,
  sum,
  times,
  unless,
  type Vector,
} from './promql.ts';
import { APIS, FAILED, requestsOf, slo, WITHIN } from './slo.ts';

const { value, before, rate, increase, rateOfSum, rateWithin, range } = queries(ALERT);

/** Requests a second below which shares of them mean little. */
const ENOUGH = 1;

const perApi: Alert[] = APIS.flatMap((api): Alert[] => {
  const { p95_ms, error_rate, tps } = slo[api];
  const requests = sum(rate(onrush.duration, requestsOf(api), '2m'), EACH);
  const within = sum(rateWithin(p95_ms / 1000, onrush.duration, requestsOf(api), '2m'), EACH);
  const failed = sum(rate(onrush.duration, { ...requestsOf(api), status: FAILED }, '2m'), EACH);
  // k6 tells every 5 s how many users it plays: after the last of it they fade out as the rate does.
  const users = divide(sum(overTime('sum', range(k6.vus, { profile: 'published', scenario: api }, '1m'))), 12);
  return [
    {
      name: 'OnrushSlow',
      // The threshold is an edge of the histogram, so the share within it is counted, not guessed.
      expr: and(below(divide(within, requests), WITHIN), above(requests, ENOUGH)),
      for: '2m',
      severity: 'warning',
      labels: { api },
      summary: `Only {{ $value | humanizePercentage }} of ${api} requests are answered within ${p95_ms} ms; 95 % should be`,
    },
    {
      name: 'OnrushErrors',
      expr: above(divide(failed, requests), error_rate),
      for: '2m',
      severity: 'critical',
      labels: { api },
      summary: `{{ $value | humanizePercentage }} of ${api} requests fail; ${error_rate * 100} % may`,
    },
    {
      name: 'OnrushBelowBaseline',
      // Never more than the run asks for: its users pause between two requests. A fifth of that is left to the answers.
      expr: belowScalar(
        sum(rate(onrush.duration, requestsOf(api), '1m'), EACH),
        `clamp_max(${times(users, Number((0.8 / PAUSES[api]).toFixed(3))).text}, ${tps})`,
      ),
      for: '1m',
      severity: 'warning',
      labels: { api },
      summary: `In a published run ${api} reaches {{ $value | humanize }} requests a second; ${tps} is the baseline`,
    },
  ];
});

/** Compares each installation's value with the one value of the right side. */
function belowScalar<L extends string>(left: Vector<L>, right: string): Vector<L> {
  return { text: `${left.text} < on () group_left () ${right}`, compound: true };
}

/** A counter that has grown within ten minutes, also by the first event of a series that did not exist before. */
function grown<L extends string>(metric: Metric<L>, by: readonly ('namespace' | L)[]): Vector<'namespace' | L> {
  const total = sum(value(metric), by);
  return or(above(sum(increase(metric, {}, '10m'), by), 0), above(unless(total, sum(before(metric, '10m'), by)), 0));
}
const perPool = ['namespace', 'service', 'pod', 'pool'] as const;
const perGroup = ['namespace', 'group'] as const;
const perProcess = ['namespace', 'service', 'pod'] as const satisfies readonly Scraped[];

export const ALERTS: readonly Alert[] = [
  ...perApi,
  {
    name: 'OnrushBudgetBurnsFast',
    expr: and(above(value(budget.burn1h), 14.4), above(value(budget.burn5m), 14.4)),
    for: '2m',
    severity: 'critical',
    summary:
      '{{ $labels.api }} spends its budget of {{ $labels.slo }} {{ $value | humanize }} times too fast: a month’s is gone in two days',
  },
  {
    name: 'OnrushBudgetBurnsSlowly',
    expr: and(above(value(budget.burn6h), 6), above(value(budget.burn30m), 6)),
    for: '15m',
    severity: 'warning',
    summary:
      '{{ $labels.api }} spends its budget of {{ $labels.slo }} {{ $value | humanize }} times too fast: a month’s is gone in five days',
  },
  {
    name: 'OnrushRowsContended',
    expr: above(
      divide(
        sum(rateOfSum(onrush.lockWait, { at: like('.+_row') }, '2m'), EACH),
        sum(rateOfSum(onrush.transaction, {}, '2m'), EACH),
      ),
      0.6,
    ),
    for: '2m',
    severity: 'warning',
    summary: 'Transactions spend {{ $value | humanizePercentage }} of their time waiting for rows',
  },
  {
    name: 'OnrushPoolSaturated',
    expr: above(
      divide(
        max(overTime('avg', range(onrush.pool, { state: 'in_use' }, '2m')), perPool),
        max(value(onrush.poolSize), perPool),
      ),
      0.9,
    ),
    for: '2m',
    severity: 'warning',
    summary: 'The {{ $labels.pool }} connections of {{ $labels.pod }} are {{ $value | humanizePercentage }} in use',
  },
  {
    name: 'OnrushOutboxStuck',
    expr: above(max(value(onrush.outboxAge), EACH), 60),
    for: '1m',
    severity: 'critical',
    summary: 'The oldest unpublished order event is {{ $value | humanizeDuration }} old',
  },
  {
    name: 'OnrushOutboxFailed',
    expr: above(max(value(onrush.outboxBacklog, { status: 'FAILED' }), EACH), 0),
    for: '0s',
    severity: 'warning',
    summary: '{{ $value }} order events were given up and wait for their redrive',
  },
  {
    name: 'OnrushConsumerBehind',
    expr: above(sum(value(onrush.consumerLag), perGroup), 10_000),
    for: '2m',
    severity: 'warning',
    summary: '{{ $labels.group }} is {{ $value | humanize }} messages behind',
  },
  {
    name: 'OnrushConsumerStopped',
    expr: unless(
      above(sum(overTime('min', range(onrush.consumerLag, {}, '1m')), perGroup), 0),
      above(sum(rate(onrush.consumed, {}, '1m'), perGroup), 0),
    ),
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.group }} takes no message, and {{ $value | humanize }} wait for it',
  },
  {
    name: 'OnrushPromisesStuck',
    expr: or(
      above(max(value(onrush.streamLength), EACH), 10_000),
      unless(
        above(max(overTime('min', range(onrush.streamLength, {}, '1m')), EACH), 0),
        above(sum(rate(onrush.relayed, {}, '1m'), EACH), 0),
      ),
    ),
    for: '1m',
    severity: 'critical',
    summary: '{{ $value | humanize }} promised coupons are not handed to Kafka',
  },
  {
    name: 'OnrushGateClosed',
    expr: or(
      above(max(value(onrush.gatesClosed), EACH), 0),
      above(sum(rate(onrush.admissions, { result: 'not_loaded' }, '1m'), EACH), 0),
    ),
    for: '30s',
    severity: 'critical',
    summary: 'Coupon requests are answered with 503: a gate is closed and not rebuilt',
  },
  {
    name: 'OnrushNoGatekeeper',
    expr: unless(sum(value(onrush.buildInfo), EACH), above(sum(value(onrush.leader), EACH), 0)),
    for: '30s',
    severity: 'critical',
    summary: 'No process keeps the coupon gates: promises are not relayed, closed gates stay closed',
  },
  {
    name: 'OnrushLostPromises',
    expr: grown(onrush.lostPromises, EACH),
    for: '0s',
    severity: 'critical',
    summary: '{{ $value | humanize }} promised coupons were lost between Redis and MySQL',
  },
  {
    name: 'OnrushDeadLetters',
    expr: grown(onrush.deadLetters, ['namespace', 'topic']),
    for: '0s',
    severity: 'warning',
    summary: '{{ $value | humanize }} messages of {{ $labels.topic }} could not be read and went to its dead letters',
  },
  {
    name: 'OnrushInvariantViolated',
    expr: above(max(value(verifier.violations), ['namespace', 'check']), 0),
    for: '0s',
    severity: 'critical',
    summary: 'The database breaks the invariant {{ $labels.check }} in {{ $value }} rows',
  },
  {
    name: 'OnrushVerifierSilent',
    // Remembered for an hour, so that a verifier that is gone is missed.
    expr: {
      text: `time() - ${max(overTime('max', range(verifier.verified, {}, '1h')), EACH).text} > 1800`,
      compound: true,
    },
    for: '1m',
    severity: 'warning',
    summary: 'The verifier has not looked at the database for {{ $value | humanizeDuration }}',
  },
  {
    name: 'OnrushTargetDown',
    expr: equals(max(value(prometheus.up), perProcess), 0),
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.service }} {{ $labels.pod }} answers no questions for its metrics',
  },
];
