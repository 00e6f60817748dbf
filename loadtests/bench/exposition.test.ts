import { growth, observed, parseExposition, quantile, sum } from './exposition.ts';

const reading = (first: number, second: number, all: number) =>
  parseExposition(`# HELP h whatever
h_bucket{le="0.1",route="/a"} ${first}
h_bucket{le="0.5",route="/a"} ${second}
h_bucket{le="+Inf",route="/a"} ${all}
h_sum{route="/a"} ${all * 0.2}
h_count{route="/a"} ${all}
h_count{route="/b{\\"}"} 7
plain 1.5e+3
`);

test('labels with quotes and braces, and numbers with exponents, are read', () => {
  expect(reading(1, 2, 3).get('h_count')?.[1]).toEqual({ labels: { route: '/b{\\"}' }, value: 7 });
  expect(sum(reading(1, 2, 3), 'plain')).toBe(1500);
});

test('a quantile lies evenly within its bucket, of what came between two readings', () => {
  const between = observed(reading(10, 10, 10), reading(20, 30, 30), 'h', { route: '/a' });
  expect(between.count).toBe(20);
  // Half of the 20 are at most 0.1; the 15th is in the middle of the other bucket.
  expect(quantile(between, 0.5)).toBeCloseTo(0.1);
  expect(quantile(between, 0.75)).toBeCloseTo(0.3);
});

test('above the last edge the quantile is that edge, and of nothing there is none', () => {
  expect(quantile(observed(undefined, reading(0, 0, 5), 'h', { route: '/a' }), 0.5)).toBe(0.5);
  expect(quantile(observed(reading(1, 2, 3), reading(1, 2, 3), 'h', { route: '/a' }), 0.5)).toBeUndefined();
});

test('a series that was not there before grew from zero', () => {
  expect(growth(new Map(), reading(1, 2, 3), 'h_count', { route: '/a' })).toBe(3);
});
