import type { RowDataPacket } from 'mysql2/promise';
import { stack } from '../test/stack.ts';
import { idOf, parseLabArguments, strategyNamed } from './arguments.ts';
import { isAsExpected } from './outcome.ts';
import { openPlace, type Place } from './place.ts';
import { runRound } from './round.ts';
import { STRATEGIES } from './strategies.ts';

// That sound strategies come out green takes longer to see: lab.faults.test.ts.

let place: Place;
beforeAll(async () => {
  place = await openPlace(process.env, `${stack().env.namespace}-lab`);
}, 120_000);
afterAll(() => place.close());

describe('the lab’s tables', () => {
  const rows = async (sql: string) => (await place.connection.query<RowDataPacket[]>(sql))[0];

  it('have nothing left that would stop a broken strategy', async () => {
    expect(
      await rows(
        `SELECT table_name, constraint_name FROM information_schema.table_constraints
          WHERE constraint_schema = DATABASE() AND constraint_name LIKE 'ck\\_%'`,
      ),
    ).toEqual([]);
    const unique = await rows(
      `SELECT DISTINCT table_name AS name, index_name AS key_name FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND non_unique = 0 AND table_name <> 'migrations'`,
    );
    expect(unique.filter(({ key_name }) => key_name !== 'PRIMARY')).toEqual([]);
    const withPrimary = unique.map(({ name }) => name);
    expect(withPrimary).not.toContain('balance_charge_history');
    expect(withPrimary).not.toContain('user_coupons');
    for (const sql of [
      "INSERT INTO stocks VALUES ('lab', -1)",
      "INSERT INTO balance_charge_history VALUES ('lab', 1, 5, 0, 5, 'k', NOW(3)), ('lab', 1, 7, 0, 7, 'k', NOW(3))",
    ])
      await place.connection.query(sql);
  });
});

test.each(STRATEGIES.filter(({ breaks }) => breaks.length > 0).map((strategy) => [idOf(strategy), strategy.breaks]))(
  '%s is found out: %j',
  async (id, invariants) => {
    const { verdict, red } = await runRound(place, strategyNamed(id), { warmup: 0.1, seconds: 0.4 }, 2_000);
    expect(verdict).toBe('FAIL');
    expect(red).toEqual(expect.arrayContaining(invariants));
  },
  60_000,
);

describe('what is expected of a strategy', () => {
  it('is a pass from a sound one', () => {
    expect(isAsExpected([], { verdict: 'PASS', red: [] })).toBe(true);
    expect(isAsExpected([], { verdict: 'INCONCLUSIVE', red: [] })).toBe(false);
    expect(isAsExpected([], { verdict: 'FAIL', red: ['stock-sum'] })).toBe(false);
  });

  it('is every invariant that it is known to break from a broken one, whatever else', () => {
    const breaks = ['wallet-balance', 'wallet-chain'];
    expect(isAsExpected(breaks, { verdict: 'FAIL', red: ['client-charges', ...breaks] })).toBe(true);
    expect(isAsExpected(breaks, { verdict: 'FAIL', red: ['wallet-chain'] })).toBe(false);
    expect(isAsExpected(breaks, { verdict: 'PASS', red: [] })).toBe(false);
  });
});

describe('the arguments', () => {
  const ids = (...args: string[]) => {
    const given = parseLabArguments(args);
    return typeof given === 'string' ? given : given.strategies.map(idOf);
  };

  it('pick writes and strategies, in the order of the list', () => {
    expect(ids()).toHaveLength(STRATEGIES.length);
    expect(ids('--only', 'charge')).toEqual(
      STRATEGIES.filter(({ write }) => write === 'charge').map(({ name }) => `charge/${name}`),
    );
    expect(ids('--only', 'order, coupon', '--strategy', 'rows-only,ours')).toEqual([
      'coupon/ours',
      'order/ours',
      'order/rows-only',
    ]);
    expect(ids('--strategy', 'charge/row-lock')).toEqual(['charge/row-lock']);
    expect(parseLabArguments(['--seconds', '2', '--rounds', '1'])).toMatchObject({ seconds: 2, rounds: 1 });
  });

  it.each([
    [['--only', 'refund'], '--only refund: expected some of coupon, charge, order'],
    [['--strategy', 'hope'], /^--strategy hope: expected some of coupon\/ours, /],
    [['--only', 'order', '--strategy', 'no-lock'], /^--strategy no-lock: expected some of order\/ours, order\/before/],
    [['--seconds', '0'], '--seconds 0: expected a whole number from 1 to 600'],
    [['--seconds', 'five'], '--seconds five: expected a whole number from 1 to 600'],
    [['--users', '10'], '--users 10: expected a whole number from 1000 to 1000000'],
    [['--fast'], /--fast/],
  ])('%j are refused with what was expected', (args, message) => {
    expect(() => parseLabArguments(args)).toThrow(message);
  });
});
