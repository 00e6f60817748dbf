import { stack } from '../test/stack.ts';
import { idOf, strategyNamed } from './arguments.ts';
import { LOADS } from './loads.ts';
import { openPlace, type Place } from './place.ts';
import { runRound, startStrategy } from './round.ts';
import { prepareRows } from './rows.ts';
import { STRATEGIES } from './strategies.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace(process.env, `${stack().env.namespace}-lab`);
});
afterAll(() => place.close());

test.each(STRATEGIES.filter(({ breaks }) => breaks.length === 0).map(idOf))('%s holds under load', async (id) => {
  const { verdict, reasons, seen } = await runRound(place, strategyNamed(id), { warmup: 0.1, seconds: 0.6 }, 2_000);
  expect(reasons).toEqual([]);
  expect(verdict).toBe('PASS');
  expect(seen.unresolved.count).toBe(0);
  expect(seen.acknowledged.count).toBeGreaterThan(0);
});

/** For each write its path and body for a user, and the status for one that does not exist. */
const WRITES = {
  charge: [(user: string) => `/api/users/${user}/balance/charge`, () => ({ amount: 500 }), 404],
  coupon: [() => '/api/coupons/test-coupon-1/issue', (user: string) => ({ userId: user }), 400],
  order: [() => '/api/orders', (user: string) => ({ userId: user }), 404],
} as const;

/** Those with code of their own; the stale gate asks MySQL for nothing but what is left. */
const OWN = STRATEGIES.filter(
  ({ name, pool, ...strategy }) => !('services' in strategy) && pool === undefined && name !== 'stale-gate',
);

test.each([...OWN.map(idOf), 'order/user-lock'])(
  '%s answers a key again, and refuses who does not exist',
  async (id) => {
    const strategy = strategyNamed(id);
    await prepareRows(place, strategy, LOADS[strategy.write], 1_000);
    const [path, body, unknown] = WRITES[strategy.write];
    const server = await startStrategy(place, strategy);
    const send = async (user: string, key: string) => {
      const answer = await fetch(server.url + path(user), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body(user)),
      });
      const { queueSize, ...rest } = (await answer.json()) as Record<string, unknown>;
      return { status: answer.status, replayed: answer.headers.get('idempotency-replayed'), body: rest };
    };
    try {
      const first = await send('test-user-1', 'k1');
      expect(first.status).toBe(strategy.write === 'coupon' ? 202 : 200);
      let again = await send('test-user-1', 'k1');
      // The classic flow knows a key from the moment its consumer has issued.
      for (let look = 0; look < 50 && again.replayed === null; look++) again = await send('test-user-1', 'k1');
      expect(again).toEqual({ ...first, replayed: 'true' });
      expect(await send('nobody', 'k2')).toMatchObject({ status: unknown, body: { code: 'U001' } });
    } finally {
      await server.stop();
    }
  },
);
