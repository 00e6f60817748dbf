import { newId, newTraceId } from './ids.ts';

describe('newId', () => {
  it('is its prefix and 32 hexadecimal digits, and fits an id column', () => {
    expect(newId('order')).toMatch(/^order-[\da-f]{32}$/);
    expect(newId('coupon').length).toBeLessThanOrEqual(64);
  });

  it('never repeats, across the pool of random bytes too', () => {
    const ids = Array.from({ length: 20_000 }, () => newId('x'));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('sorts by time', async () => {
    const before = newId('x');
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(newId('x') > before).toBe(true);
  });
});

it('newTraceId is what W3C Trace Context wants, and not all zeros', () => {
  const ids = Array.from({ length: 1_000 }, newTraceId);
  for (const id of ids) expect(id).toMatch(/^(?!0{32})[\da-f]{32}$/);
  expect(new Set(ids).size).toBe(1_000);
});
