import { MAX_AMOUNT, MAX_WON, won } from './money.ts';

describe('won', () => {
  it.each([0, 1, -1, MAX_WON, '9007199254740991', '42'])('takes %p as it is', (value) => {
    expect(won(value)).toBe(Number(value));
  });

  it.each([1.5, '9007199254740992', '9007199254740993', Number.NaN, Number.POSITIVE_INFINITY, undefined, 'many'])(
    'refuses %p instead of rounding it',
    (value) => {
      expect(() => won(value)).toThrow(`not an exact amount: ${String(value)}`);
    },
  );

  it('lets the largest amount be charged many times over', () => {
    expect(Number.isSafeInteger(MAX_AMOUNT * 9_000_000)).toBe(true);
  });
});
