import { leftByScavenge } from '../../loadtests/test/left-by-scavenge.ts';
import { PassingMap } from './passing-map.ts';

describe('a map of entries that pass', () => {
  it('has what was set last and not deleted since, however many came and went', () => {
    const passing = new PassingMap<number>();
    const there = new Map<string, number>();
    for (let nth = 0; nth < 5_000; nth++) {
      passing.set(`key ${nth % 700}`, nth);
      there.set(`key ${nth % 700}`, nth);
      const gone = `key ${(nth * 7) % 900}`;
      passing.delete(gone);
      there.delete(gone);
    }
    for (let key = 0; key < 900; key++) expect(passing.get(`key ${key}`)).toBe(there.get(`key ${key}`));
    expect(there.size).toBeGreaterThan(50);
  });

  it.each<[string, (nth: number) => [string, unknown], number]>([
    // 500 of 10 kB each: 5 MB.
    ['values', (nth) => [`key ${nth}`, Array(1_250).fill(nth)], 600_000],
    // 500 of 1 kB each: 500 kB.
    ['keys', (nth) => [`${nth} `.repeat(200), true], 130_000],
  ])('leaves no %s behind that only a full collection would free', async (_what, entry, most) => {
    const passing = new PassingMap<unknown>();
    const running: string[] = [];
    const left = await leftByScavenge(9, (round) => {
      for (let nth = 0; nth < 500; nth++) {
        const [key, value] = entry(1_000 * (round + 1) + nth);
        passing.set(key, value);
        running.push(key);
        if (running.length > 100) passing.delete(running.shift() ?? '');
      }
      for (const key of running.splice(0)) passing.delete(key);
    });
    expect(left.toSorted((a, b) => a - b)[4]).toBeLessThan(most);
  });
});
