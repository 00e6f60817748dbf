import fc from 'fast-check';
import { MAX_AMOUNT, MAX_WON } from '../core/money.ts';
import { discountOf } from './discount.ts';

const fixed = (discountValue: number, maxDiscountAmount: number | null = null) =>
  ({ discountType: 'FIXED', discountValue, maxDiscountAmount }) as const;
const percent = (discountValue: number, maxDiscountAmount: number | null = null) =>
  ({ discountType: 'PERCENT', discountValue, maxDiscountAmount }) as const;

describe('discountOf', () => {
  test.each([
    ['a fixed amount', fixed(1_000), 30_000, 1_000],
    ['a fixed amount above the order', fixed(50_000), 30_000, 30_000],
    ['a fixed amount above its cap', fixed(5_000, 3_000), 30_000, 3_000],
    ['nothing off an order of nothing', fixed(1_000), 0, 0],
    ['a percentage', percent(10), 30_000, 3_000],
    ['a percentage that is no whole won', percent(33), 101, 33],
    ['less than a won', percent(1), 99, 0],
    ['all of it', percent(100), 12_345, 12_345],
    ['a percentage above its cap', percent(50, 10_000), 30_000, 10_000],
    ['a percentage at its cap', percent(50, 15_000), 30_000, 15_000],
    ['a percentage whose product exceeds 2^53', percent(99), MAX_WON, 8_917_127_262_193_581],
  ])('%s', (_what, coupon, orderAmount, discount) => {
    expect(discountOf(coupon, orderAmount)).toBe(discount);
  });

  const amount = fc.oneof(fc.nat({ max: 1_000_000 }), fc.maxSafeNat());
  const cap = fc.option(fc.integer({ min: 1, max: MAX_AMOUNT }));

  test('a percentage is exact for every order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), amount, (value, orderAmount) => {
        const exact = (BigInt(orderAmount) * BigInt(value)) / 100n;
        expect(BigInt(discountOf(percent(value), orderAmount))).toBe(exact);
      }),
    );
  });

  test('a discount is whole, and neither negative nor above the order or its cap', () => {
    const coupon = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: MAX_AMOUNT }), cap).map(([value, max]) => fixed(value, max)),
      fc.tuple(fc.integer({ min: 1, max: 100 }), cap).map(([value, max]) => percent(value, max)),
    );
    fc.assert(
      fc.property(coupon, amount, (terms, orderAmount) => {
        const discount = discountOf(terms, orderAmount);
        expect(Number.isSafeInteger(discount)).toBe(true);
        expect(discount).toBeGreaterThanOrEqual(0);
        expect(discount).toBeLessThanOrEqual(Math.min(orderAmount, terms.maxDiscountAmount ?? orderAmount));
      }),
    );
  });

  test('a larger order never gets less off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), cap, amount, amount, (value, max, a, b) => {
        const [small, large] = a < b ? [a, b] : [b, a];
        expect(discountOf(percent(value, max), small)).toBeLessThanOrEqual(discountOf(percent(value, max), large));
      }),
    );
  });
});
