import { stack } from '../test/stack.ts';
import { strategyNamed } from './arguments.ts';
import { openPlace, type Place } from './place.ts';
import { runRound } from './round.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace(process.env, `${stack().env.namespace}-lab`);
});
afterAll(() => place.close());

const run = (id: string) => runRound(place, strategyNamed(id), { warmup: 0.1, seconds: 0.6 });

test.each(['charge/ours', 'charge/row-lock'])('%s holds under load', async (id) => {
  const { verdict, reasons, seen, tps } = await run(id);
  expect(reasons).toEqual([]);
  expect(verdict).toBe('PASS');
  expect(seen.acknowledged.count).toBeGreaterThan(0);
  expect(tps).toBeGreaterThan(0);
});

test.each([['charge/no-lock', ['wallet-balance', 'wallet-chain']]])('%s is turned red: %j', async (id, invariants) => {
  const { verdict, red } = await run(id);
  expect(verdict).toBe('FAIL');
  for (const invariant of invariants) expect(red).toContain(invariant);
});
