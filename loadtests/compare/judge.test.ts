import { medianInterval } from './interval.ts';
import { compare, type Triple } from './judge.ts';

/** Rounds whose machine drifts from one to the next, with `noise` of a hundred between runs, and a changed side `factor` as fast. */
function rounds(count: number, noise: number, factor: number, seed: number): Triple[] {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const machine = 4_000 * (0.7 + 0.6 * random());
    const one = () => machine * (1 + (noise * (random() + random() - 1)) / 100);
    return { reference: one(), again: one(), changed: one() * factor };
  });
}

test('a tenth less is a loss, and a gain where less is better', () => {
  expect(compare('charge', 'rate', 'more', rounds(7, 5, 0.9, 1))).toMatchObject({ result: 'loss' });
  expect(compare('charge', 'CPU', 'less', rounds(7, 5, 0.9, 1))).toMatchObject({ result: 'gain' });
  expect(compare('charge', 'rate', 'more', rounds(7, 5, 1.1, 1))).toMatchObject({ result: 'gain' });
});

test('the same program is hardly ever taken for a loss, however the machine drifts', () => {
  const losses = Array.from({ length: 100 }, (_, n) => compare('x', 'rate', 'more', rounds(7, 5, 1, n * 7_919 + 1)));
  expect(losses.filter(({ result }) => result === 'loss').length).toBeLessThan(3);
});

test('the interval of a median holds it, and is as narrow as the values are', () => {
  expect(medianInterval([5, 5, 5, 5])).toEqual([5, 5]);
  const [low, high] = medianInterval([1, 2, 3, 4, 5, 6, 7]);
  expect(low).toBeLessThan(4);
  expect(high).toBeGreaterThan(4);
  expect(low).toBeGreaterThanOrEqual(1);
  expect(high).toBeLessThanOrEqual(7);
});
