import { BadArgument, parseArguments } from './arguments.ts';

const faults = (...args: string[]) =>
  (parseArguments(args) as Exclude<ReturnType<typeof parseArguments>, 'help'>).faults;

it('takes several faults, in the order of their times', () => {
  expect(faults('--kill', 'redis@10s', '--slow', 'mysql@4s+9s', '--kill', 'kafka@7', '--flush', 'redis@25s')).toEqual([
    { kind: 'slow', engine: 'mysql', at: 4, lasts: 9 },
    { kind: 'kill', engine: 'kafka', at: 7, lasts: 5 },
    { kind: 'kill', engine: 'redis', at: 10, lasts: 5 },
    { kind: 'flush', engine: 'redis', at: 25, lasts: 0 },
  ]);
});

it('loads on for a while after the last fault', () => {
  expect(parseArguments(['--kill', 'redis@10s'])).toMatchObject({ seconds: 30, processes: 2, matrix: undefined });
  expect(parseArguments([])).toMatchObject({ seconds: 20, faults: [] });
  expect(parseArguments(['--matrix', 'docs/matrix.md'])).toMatchObject({ matrix: 'docs/matrix.md' });
});

it.each([
  [['--kill', 'redis'], /--kill redis: expected ENGINE@START/],
  [['--kill', 'redis@soon'], /--kill redis@soon: expected ENGINE@START/],
  [['--pause', 'postgres@3s'], /no engine "postgres"; expected mysql, redis, kafka/],
  [['--flush', 'mysql@3s'], /--flush mysql@3s: only redis can be given/],
  [['--flush', 'redis@3s+2s'], /it has no length/],
  [['--kill', 'redis@3s', '--pause', 'redis@5s'], /overlap/],
  [['--kill', 'redis@50s', '--seconds', '30'], /the load ends at 30 s/],
  [['--seconds', '0'], /--seconds 0: expected a whole number from 1 to 3600/],
  [['--rate', 'fast'], /--rate fast: expected a whole number/],
  [['--explode', 'redis@3s'], /--explode/],
  [['redis@3s'], /what is "redis@3s"/],
  [['--matrix', '--kill', 'redis@3s'], /--matrix chooses its faults itself/],
])('names what is wrong with %j', (args, message) => {
  expect(() => parseArguments(args)).toThrow(BadArgument);
  expect(() => parseArguments(args)).toThrow(message);
});
