import { History } from './history.ts';
import type { Point } from './sample.ts';

const point = (at: number): Point => ({ at, requests: [1], p95: [null], waiting: [0], backlog: [null] });
const times = (history: History, now: number) => (JSON.parse(history.text(now)) as Point[]).map(({ at }) => at);

test('holds ten minutes at one point a second, and no more points than that', () => {
  const history = new History();
  for (let second = 1; second <= 2_000; second++) history.add(point(second * 1_000));
  const kept = times(history, 2_000_000);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([600, 1_401_000, 2_000_000]);
  for (let n = 1; n <= 2_000; n++) history.add(point(2_000_000 + n));
  expect(times(history, 2_002_000)).toHaveLength(600);
});

test('forgets what has become old while nobody watched', () => {
  const history = new History();
  for (const at of [1_000, 2_000, 300_000]) history.add(point(at));
  expect(times(history, 601_500)).toEqual([2_000, 300_000]);
  expect(times(history, 2_000_000)).toEqual([]);
});
