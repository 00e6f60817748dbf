import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { chargeEndpoint } from '../../services/balance/contract.ts';
import { DURATION_BUCKETS } from '../../services/core/duration-buckets.ts';
import { routeOf } from '../../services/core/http/endpoint.ts';
import { issueEndpoint } from '../../services/coupon/contract.ts';
import { placeOrderEndpoint } from '../../services/order/contract.ts';
import { BUCKET_EDGES } from '../k6/lib/buckets.ts';
import { parseSlo } from '../k6/lib/slo.ts';

const text = readFileSync('loadtests/slo.yaml', 'utf8');

test('the reader of slo.yaml reads what YAML says', () => {
  expect(parseSlo(text)).toEqual(parse(text));
});

test('every p95 target is an edge of the request histogram', () => {
  for (const { p95_ms } of Object.values(parseSlo(text))) {
    expect(DURATION_BUCKETS).toContain(p95_ms / 1000);
    expect(BUCKET_EDGES).toContain(p95_ms);
  }
});

test('a request is slow, and traced, exactly beyond its API’s target', () => {
  const { coupon, charge, order } = parseSlo(text);
  for (const [slo, endpoint] of [
    [coupon, issueEndpoint],
    [charge, chargeEndpoint],
    [order, placeOrderEndpoint],
  ] as const)
    expect([routeOf(endpoint), endpoint.slowAfter]).toEqual([slo.route, slo.p95_ms]);
});

test('a line that is more than a plain pair is refused by its number', () => {
  expect(() => parseSlo('coupon:\n  p95_ms: 97\n  - a\n')).toThrow('slo.yaml line 3');
  expect(() => parseSlo('coupon:\n  p95_ms: 97\n')).toThrow('charge is missing');
});
