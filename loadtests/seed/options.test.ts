import { dataSet, parseSeedOptions } from './options.ts';

test('the defaults; there are coupons for all users', () => {
  expect(parseSeedOptions([])).toEqual({ users: 100_000, coupons: 100_000, stock: 100_000_000, seed: 1 });
  expect(parseSeedOptions(['--users', '250000'])).toMatchObject({ users: 250_000, coupons: 250_000 });
  expect(parseSeedOptions(['--users', '10'])).toMatchObject({ users: 10, coupons: 100_000 });
  expect(parseSeedOptions(['--users=5', '--coupons=3', '--stock=0', '--seed=7'])).toEqual({
    users: 5,
    coupons: 3,
    stock: 0,
    seed: 7,
  });
});

test.each([
  [['--users', '0'], '--users 0: expected a whole number from 1'],
  [['--users', 'many'], '--users "many": expected a whole number'],
  [['--users', '1e5'], '--users "1e5": expected a whole number'],
  [['--stock', '1.5'], '--stock "1.5": expected a whole number'],
  [['--coupons', '99999999999'], '--coupons 99999999999: expected a whole number from 1'],
  [['--user', '3'], "Unknown option '--user'"],
  [['extra'], "'extra'"],
])('%j is refused with a message that names it', (args, message) => {
  expect(() => parseSeedOptions(args)).toThrow(message);
});

test('the function refuses what the command line refuses', () => {
  expect(() => dataSet({ users: -1 })).toThrow('--users -1');
  expect(() => dataSet({ seed: Number.NaN })).toThrow('--seed NaN');
});
