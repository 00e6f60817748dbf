import { TokenCache } from './token-cache.ts';

describe('TokenCache', () => {
  it('gives back what was put until the token ends, and for a minute at most', () => {
    const cache = new TokenCache<string>();
    cache.put('short', 'a', 5_000, 0);
    cache.put('long', 'b', 3_600_000, 0);
    expect([cache.get('short', 4_999), cache.get('short', 5_000)]).toEqual(['a', undefined]);
    expect([cache.get('long', 59_999), cache.get('long', 60_000)]).toEqual(['b', undefined]);
    expect(cache.get('other', 0)).toBeUndefined();
  });

  it('forgets the oldest of 100,000 and keeps what is asked for', () => {
    const cache = new TokenCache<number>();
    for (let n = 0; n < 100_000; n++) {
      cache.put(`t${n}`, n, 3_600_000, 0);
      cache.get('t0', 0);
    }
    expect(cache.get('t0', 0)).toBe(0);
    expect(cache.get('t1', 0)).toBeUndefined();
    expect(cache.get('t99999', 0)).toBe(99_999);
    const left = Array.from({ length: 100_000 }, (_, n) => cache.get(`t${n}`, 0)).filter(
      (value) => value !== undefined,
    );
    expect(left.length).toBeLessThanOrEqual(40_000);
  });
});
