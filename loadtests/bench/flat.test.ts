import type { ResourcePoint } from '../report/results.ts';
import { flatness } from './flat.ts';

const MiB = 2 ** 20;
/** An hour of looks, with a saw's teeth in the heap; `change` bends one of the lines. */
const hour = (change: (point: ResourcePoint, n: number) => Partial<ResourcePoint> = () => ({})): ResourcePoint[] =>
  Array.from({ length: 720 }, (_, n) => {
    const point = {
      second: 5 * n,
      heapBytes: (60 + 20 * ((n % 7) / 7)) * MiB,
      rssBytes: 180 * MiB,
      descriptors: 80 + (n % 5),
      gcSeconds: 0.05 * n,
    };
    return { ...point, ...change(point, n) };
  });

test('a run in which nothing grows is flat, whatever the teeth of its heap', () => {
  expect(flatness(hour())).toMatchObject({
    heap: { from: 60 * MiB, to: 60 * MiB },
    descriptors: { from: 82, to: 82 },
    growing: [],
  });
  expect(flatness(hour())?.gc).toBeCloseTo(0.01);
});

test.each([
  ['the heap grew from', (point: ResourcePoint, n: number) => ({ heapBytes: point.heapBytes + 0.06 * n * MiB })],
  ['resident memory grew from', (point: ResourcePoint, n: number) => ({ rssBytes: point.rssBytes + 0.2 * n * MiB })],
  [
    'open files and sockets grew from',
    (point: ResourcePoint, n: number) => ({ descriptors: point.descriptors + n / 20 }),
  ],
])('%s … is told', (told, change) => {
  const { growing } = flatness(hour(change)) ?? { growing: [] };
  expect(growing).toHaveLength(1);
  expect(growing[0]).toContain(told);
});

test('a short run says nothing', () => {
  expect(flatness(hour().slice(0, 20))).toBeUndefined();
});
