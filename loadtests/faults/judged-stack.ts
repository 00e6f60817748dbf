import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { ROLES, type Role } from '../../services/core/config.ts';
import type { CrashPoint } from '../../services/core/crash-point.ts';
import { dropDeadLetters } from '../seed/events.ts';
import { seed } from '../seed/seed.ts';
import { type OwnStack, ownStack } from '../test/own-stack.ts';
import { eventually, stack as sharedStack } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import type { Before, ClientFigures } from '../verify/figures.ts';
import { openStack, type Stack } from '../verify/stack.ts';
import type { Verdict } from '../verify/verdict.ts';
import { verify } from '../verify/verify.ts';
import { figuresOf } from './clients.ts';

/** Queues that have not emptied by then never will. Milliseconds. */
const DRAINS = 60_000;

/** A seeded stack of a test file's own, and the verifier's word on it. */
export interface JudgedStack {
  own: OwnStack;
  before(): Promise<Before>;
  /** A coupon of that many, whose gate is open or asked for. */
  newCoupon(at: Started, totalQuantity: number): Promise<string>;
  /** A process with these roles; with `dieAt` (`charge:committed#3`) one that is killed there, or stopped there. */
  start(
    roles: readonly Role[],
    more?: { dieAt?: `${CrashPoint}#${number}`; stop?: boolean; env?: Env },
  ): Promise<Started>;
  /** Waits until nothing is left to do, and judges; without the clients' figures what the database alone can tell. */
  verdict(clients?: ClientFigures): Promise<Verdict>;
  dropDeadLetters(): Promise<void>;
  remove(): Promise<void>;
}
type Env = Record<string, string>;

/** `name`: at most ten of a-z and 0-9. Users test-user-1, … with a million won and a cart each that orders do not empty. */
export async function judgedStack(
  name: string,
  users: number,
  env: Env = {},
  { topics = true } = {},
): Promise<JudgedStack> {
  const own = await ownStack(name, { topics });
  const { api } = sharedStack();
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = own.config;
  const engines = { databaseUrl, redisUrl, kafkaBrokers, namespace };
  await seed({ ...engines, users });
  const stack: Stack = await openStack(own.config);
  return {
    own,
    before: () => stack.before(),
    start: (roles, more = {}) =>
      own.start({
        ROLES: roles.join(','),
        ONRUSH_CART_AFTER_ORDER: 'keep',
        ...env,
        ...(more.dieAt && {
          NODE_OPTIONS: `--import=${pathToFileURL('loadtests/faults/die-at.ts')}`,
          ONRUSH_TEST_DIE_AT: more.dieAt,
          ONRUSH_TEST_AT_POINT: more.stop ? 'SIGSTOP' : 'SIGKILL',
        }),
        ...more.env,
      }),
    async newCoupon({ url }, totalQuantity) {
      const { status, body } = await api('POST', '/api/coupons', {
        url,
        body: {
          name: 'Fault',
          discountType: 'FIXED',
          discountValue: 1_000,
          totalQuantity,
          validFrom: new Date(Date.now() - 3_600_000).toISOString(),
          validUntil: new Date(Date.now() + 3_600_000).toISOString(),
        },
      });
      if (status !== 201) throw new Error(`no coupon: ${status} ${JSON.stringify(body)}`);
      return body.couponId;
    },
    async verdict(clients) {
      // Dead letters never go away by themselves: the verdict tells of them.
      await eventually(
        async () => (await stack.untilDrained(500)).reasons.filter((reason) => !/^\d+ dead letters$/.test(reason)),
        (reasons) => reasons.length === 0,
        DRAINS,
      );
      return verify({ ...engines, ...(clients && { clients }) });
    },
    async dropDeadLetters() {
      const admin = own.kafka.admin();
      await admin.connect();
      await dropDeadLetters(admin, own.names);
      await admin.disconnect();
    },
    async remove() {
      await stack.close();
      await own.remove();
    },
  };
}

/** Opens the seeded coupon's gate, so that the first rebuild to come is one that the test asked for. */
export async function buildGates(judged: JudgedStack): Promise<void> {
  const first = await judged.start(ROLES);
  await judged.verdict(figuresOf(await judged.before(), []));
  await first.stop();
}

/** Every role but these. */
export const rolesWithout = (...roles: Role[]): Role[] => ROLES.filter((role) => !roles.includes(role));

/** The process stands still, by what it did to itself. */
export const untilStopped = ({ child }: Started): Promise<unknown> =>
  eventually(
    async () => readFileSync(`/proc/${child.pid}/stat`, 'utf8'),
    (stat) => / T \d/.test(stat),
    60_000,
  );

/** The process is gone, by what it did to itself. */
export const untilDead = ({ child }: Started): Promise<unknown> =>
  eventually(
    async () => child.signalCode ?? child.exitCode,
    (end) => end !== null,
    60_000,
  );

/** Products whose count in the ranking differs from what all orders sold. */
export async function miscounted({ db, redis, names }: OwnStack): Promise<string[]> {
  const [rows] = await db.query(
    'SELECT product_id AS product, SUM(quantity) AS sold FROM order_items GROUP BY product_id',
  );
  const counted = new Map<string, number>();
  for await (const keys of redis.scanStream({ match: names.rankingDay('*-*-*') })) {
    for (const key of keys as string[]) {
      const entries = await redis.zrange(key, '0', '-1', 'WITHSCORES');
      for (let at = 0; at < entries.length; at += 2) {
        const product = entries[at] as string;
        counted.set(product, (counted.get(product) ?? 0) + Number(entries[at + 1]));
      }
    }
  }
  return (rows as { product: string; sold: string }[])
    .filter(({ product, sold }) => counted.get(product) !== Number(sold))
    .map(({ product, sold }) => `${product}: ${sold} sold, ${counted.get(product) ?? 0} counted`);
}
