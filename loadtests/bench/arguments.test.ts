import { parseArguments } from './arguments.ts';

test('by default the three published loads run in the quick profile on fresh data', () => {
  expect(parseArguments([])).toMatchObject({
    profile: 'quick',
    scenarios: ['coupon', 'charge', 'order'],
    users: 100_000,
    seed: true,
    keep: false,
  });
});

test('a deployment that runs already is seeded only if asked', () => {
  expect(parseArguments(['--base-url', 'http://shop:80/'])).toMatchObject({ baseUrl: 'http://shop:80', seed: false });
  expect(parseArguments(['--base-url', 'http://shop', '--seed'])).toMatchObject({ seed: true });
});

test('to seed by default is not to have been told to', () => {
  expect(parseArguments([])).toMatchObject({ seed: true, seedAsked: false });
  expect(parseArguments(['--seed'])).toMatchObject({ seed: true, seedAsked: true });
  expect(parseArguments(['--no-seed'])).toMatchObject({ seed: false, seedAsked: false });
});

test.each([
  [['--profile', 'slow'], '--profile slow: expected one of quick, published, smoke, saturate'],
  [['--only', 'coupon,cart'], '--only cart: expected one of coupon, charge, order, journey, spike'],
  [['--profile', 'saturate', '--only', 'charge'], '--only charge: expected one of coupon, charge-hot'],
  [['--users', '1e5'], '--users 1e5: expected a whole number'],
  [['--base-url', 'shop'], '--base-url shop: expected a URL'],
  [['--generator', 'wrk'], '--generator wrk: quick has pauses'],
  [['--profile', 'saturate', '--generator', 'ab'], '--generator ab: expected one of k6, wrk'],
  [['--capacity', '--generator', 'k6'], '--generator k6: --capacity sends by wrk'],
  [['--vus', '50'], '--vus 50: only smoke'],
  [['--profile', 'smoke', '--vus', '101'], '--vus 101: expected 1 to 100'],
  [['--capacity', '--compare', 'HEAD'], '--capacity and --compare exclude each other'],
  [['--compare', ''], '--compare: expected a commit'],
  // Both sides begin with the test data set: what is there would be gone.
  [['--compare', 'HEAD', '--no-seed'], '--compare and --gate exclude --no-seed'],
  [['--gate', '--base-url', 'http://shop'], '--compare and --gate exclude --base-url'],
  [['--profile', 'quick', '--gate'], '--gate is about saturate’s writes'],
  [['--fast'], "Unknown option '--fast'"],
])('%j is refused with a message that names it', (args, message) => {
  expect(() => parseArguments(args)).toThrow(message);
});

test('wrk drives what has no pauses, k6 everything else, unless k6 is asked for', () => {
  expect(parseArguments([])).toMatchObject({ generator: 'k6' });
  expect(parseArguments(['--profile', 'saturate'])).toMatchObject({ generator: 'wrk' });
  expect(parseArguments(['--profile', 'saturate', '--generator', 'k6'])).toMatchObject({ generator: 'k6' });
});

test('what looks at the limit has saturate’s writes, and compares in seven rounds unless told otherwise', () => {
  expect(parseArguments(['--compare', 'HEAD~1'])).toMatchObject({ profile: 'saturate', compare: 'HEAD~1', repeat: 7 });
  expect(parseArguments(['--gate', '--repeat', '5'])).toMatchObject({ compare: { ledger: true }, repeat: 5 });
  expect(() => parseArguments(['--gate', '--repeat', '4'])).toThrow('at least 5 rounds');
  expect(parseArguments(['--capacity', '--only', 'order'])).toMatchObject({ capacity: true, scenarios: ['order'] });
});
