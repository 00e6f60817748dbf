import { LatelyWanted } from './lately-wanted.ts';

it('keeps the 64 products that were wanted last', () => {
  const lately = new LatelyWanted();
  expect(lately.ids()).toEqual([]);
  const ids = Array.from({ length: 100 }, (_, n) => `p-${n}`);
  lately.add(ids.slice(0, 60));
  lately.add(['p-0']);
  lately.add(ids.slice(60));
  expect(new Set(lately.ids())).toEqual(new Set(['p-0', ...ids.slice(37)]));
  lately.clear();
  expect(lately.ids()).toEqual([]);
});
