import fc from 'fast-check';
import { rateLimit } from './rate-limit.ts';

describe('rateLimit', () => {
  /** Which of the calls at these times, in milliseconds, were taken. */
  const taken = (times: number[], perSecond = 10, burst = 5) => {
    let now = 0;
    const limit = rateLimit(perSecond, burst, () => now);
    return times.map((at) => {
      now = at;
      return limit('u') === 0;
    });
  };

  it('takes the burst at once, then the rate, and the burst again after a pause', () => {
    expect(taken([0, 0, 0, 0, 0, 0])).toEqual([true, true, true, true, true, false]);
    expect(taken([0, 0, 0, 0, 0, 99, 101, 102, 201])).toEqual([...Array(5).fill(true), false, true, false, true]);
    expect(taken([0, 0, 0, 0, 0, 600, 600, 600, 600, 600, 600]).slice(5)).toEqual([...Array(5).fill(true), false]);
  });

  it('says after how long a call is taken: not before, and then', () => {
    let now = 0;
    const limit = rateLimit(10, 2, () => now);
    limit('u');
    limit('u');
    const wait = limit('u');
    expect(wait).toBeCloseTo(100);
    now += wait - 1;
    expect(limit('u')).toBeGreaterThan(0);
    now += 1;
    expect(limit('u')).toBe(0);
  });

  it('counts each user alone, and refused calls not at all', () => {
    const limit = rateLimit(10, 1, () => 0);
    expect([limit('a'), limit('b')]).toEqual([0, 0]);
    expect([limit('a'), limit('a'), limit('a')]).toEqual([100, 100, 100]);
  });

  it('never takes more than burst + rate × time, in any window of any arrivals, and less only where it was not asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }), (gaps) => {
        let at = 0;
        const times = gaps.map((gap) => (at += gap));
        const seen = taken(times, 10, 5);
        let tokens = 5;
        let last = 0;
        // A bucket of five that fills by one every 100 ms.
        const bucket = times.map((time) => {
          tokens = Math.min(5, tokens + (time - last) / 100);
          last = time;
          if (tokens < 1 - 1e-9) return false;
          tokens -= 1;
          return true;
        });
        expect(seen).toEqual(bucket);
      }),
    );
  });

  it('forgets those who have long not called', () => {
    let now = 0;
    const limit = rateLimit(1_000, 1, () => now);
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 2_000_000; n++) {
      limit(`user-${n}`);
      now += 0.01;
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  });
});
