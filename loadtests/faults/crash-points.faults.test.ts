import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES, type Role } from '../../services/core/config.ts';
import { CRASH_POINTS, type CrashPoint } from '../../services/core/crash-point.ts';
import type { Started } from '../test/start-services.ts';
import { type Answered, type Call, charge, figuresOf, issue, order, untilDefinite } from './clients.ts';
import { buildGates, type JudgedStack, judgedStack, miscounted, rolesWithout, untilDead } from './judged-stack.ts';

interface Crash {
  at: `${CrashPoint}#${number}`;
  /** What the process that is killed does. If it is no API it does that alone, and nobody else does. */
  roles: Role[];
  /** Something more to do in every round of requests. */
  meanwhile?: (couponId: string) => Promise<unknown>;
  /** Writes whose effect was there when the client asked again: they had taken place without an answer. */
  unanswered?: Call['kind'];
  deadLetters?: boolean;
}

/** There shall be one coupon more: the gate is open, and built anew. */
async function rebuild(couponId: string) {
  await judged.own.db.query('UPDATE coupons SET total_quantity = total_quantity + 1 WHERE id = ?', [couponId]);
  await judged.own.redis.sadd(judged.own.names.rebuildRequests, couponId);
}
/** The first rebuild is the new coupon's. The second one finds users in the gate, and requests coming in. */
const CRASHES: Crash[] = [
  { at: 'issue:gate-answered#20', roles: ['coupon-api'], unanswered: 'coupon' },
  { at: 'relay:acknowledged#2', roles: ['coupon-gatekeeper'] },
  { at: 'rebuild:closed#2', roles: ['coupon-gatekeeper'], meanwhile: rebuild },
  { at: 'rebuild:emptied#2', roles: ['coupon-gatekeeper'], meanwhile: rebuild },
  { at: 'rebuild:loaded#2', roles: ['coupon-gatekeeper'], meanwhile: rebuild },
  { at: 'consumer:received#2', roles: ['coupon-consumer'] },
  { at: 'settle:written#2', roles: ['coupon-consumer'] },
  { at: 'settle:committed#2', roles: ['coupon-consumer'] },
  { at: 'consumer:settled#2', roles: ['coupon-consumer'] },
  { at: 'consumer:buried#1', roles: ['coupon-consumer'], meanwhile: poison, deadLetters: true },
  { at: 'charge:computed#5', roles: ['balance-api'] },
  { at: 'charge:committed#5', roles: ['balance-api'], unanswered: 'charge' },
  { at: 'commit:sent#5', roles: ['balance-api'], unanswered: 'charge' },
  { at: 'order:computed#5', roles: ['order-api'] },
  { at: 'order:committed#5', roles: ['order-api'], unanswered: 'order' },
  { at: 'commit:sent#5', roles: ['order-api'], unanswered: 'order' },
  { at: 'outbox:acknowledged#2', roles: ['outbox-relay'] },
  { at: 'ranking:counted#2', roles: ['projections'] },
];

const SERVES: Partial<Record<Role, Call['kind']>> = {
  'coupon-api': 'coupon',
  'balance-api': 'charge',
  'order-api': 'order',
};
const USERS = 300;
/** Coupons are fewer than the users who ask. */
const ASKING = 70;
const COUPONS = 60;
const ROUNDS = 30;

let judged: JudgedStack;
const seen: Record<string, unknown>[] = [];
beforeAll(async () => {
  // A process that dies holding a user's order lock holds up that user's next order for as long as the lock lives.
  judged = await judgedStack('crash', USERS, { ONRUSH_ORDER_LOCK_MS: '2000' });
  await buildGates(judged);
}, 60_000);
let running: Started[] = [];
afterEach(async () => {
  await Promise.all(running.map((one) => one.child.signalCode ?? one.stop()));
  running = [];
  await judged.dropDeadLetters();
});
afterAll(async () => {
  await judged.remove();
  const directory = join(process.env.ONRUSH_DIR ?? '.onrush', 'results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'crash-points.json'), JSON.stringify(seen, null, 2));
}, 60_000);

async function poison(couponId: string) {
  const producer = judged.own.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const value = JSON.stringify({ couponId, userId: 'no stream id' });
  await producer.send({ topic: judged.own.names.couponTopic, acks: -1, messages: [{ key: couponId, value }] });
  await producer.disconnect();
}

let rounds = 0;
/** Many users at the three APIs, a few of them on a hot wallet, some with the coupon of the round before. */
function callsOf(couponId: string, earlier: string | undefined): Call[] {
  const round = ++rounds;
  const at = (n: number) => 1 + ((round * 37 + n) % USERS);
  const calls: Call[] = [];
  for (let n = 0; n < ASKING; n++) {
    const user = n % 14 === 7 ? `nobody-${round}-${n}` : `test-user-${at(n)}`;
    calls.push(issue(couponId, user, `${round}-issue-${n}`));
    calls.push(charge(n % 2 === 0 ? 1 + (n % 3) : at(n), 1_000 + n, `${round}-charge-${n}`));
    if (n % 2 === 0) calls.push(order(at(n), `${round}-order-${n}`, n % 6 === 0 ? earlier : undefined));
  }
  return calls;
}

/** Sent again after everything has ended, each write that had succeeded must get the answer that it got before. */
async function replaysThatDiffer(answered: Answered[], urls: (call: Call) => string[]): Promise<unknown[]> {
  // A promise that was rejected may be asked for again.
  const good = answered.filter(({ call, answer }) => answer && answer.status < 300 && !isNobody(call));
  const again = await untilDefinite(
    good.map(({ call }) => call),
    urls,
  );
  const comparable = ({ answer }: Answered) => {
    const { queueSize, ...body } = answer?.body ?? {};
    return JSON.stringify({ status: answer?.status, body });
  };
  return again.filter((one, n) => !one.answer?.replayed || comparable(one) !== comparable(good[n] as Answered));
}
const isNobody = ({ body }: Call) => String(body.userId).startsWith('nobody');

it.each(CRASHES)(
  'killed at $at ($roles), all is made whole by another process',
  async (crash) => {
    // Charges were combined: one transaction served several requests. The one that was chosen may have found a single one waiting.
    const least = crash.at.startsWith('charge:') ? 2 : isApi(crash) ? 1 : 0;
    let cutOff = await killedAt(crash);
    for (let again = 0; again < 3 && cutOff < least; again++) cutOff = await killedAt(crash);
    expect(cutOff).toBeGreaterThanOrEqual(least);
  },
  180_000,
);

const isApi = ({ roles }: Crash) => roles.some((role) => role.endsWith('-api'));

/** Returns how many requests were on their way to the process when it died. */
async function killedAt(crash: Crash): Promise<number> {
  const { at, roles, meanwhile, unanswered, deadLetters = false } = crash;
  const before = await judged.before();
  const [keeper, victim] = await Promise.all([
    judged.start(isApi(crash) ? ROLES : rolesWithout(...roles)),
    judged.start(roles, { dieAt: at }),
  ]);
  running.push(keeper, victim);
  const successors: string[] = [];
  const served = roles.map((role) => SERVES[role]);
  const urls = ({ kind }: Call) => (served.includes(kind) ? [victim.url, keeper.url, ...successors] : [keeper.url]);
  const couponId = await judged.newCoupon(keeper, COUPONS);
  const successor = untilDead(victim).then(async () => {
    const one = await judged.start(roles);
    running.push(one);
    successors.push(one.url);
  });
  const answered: Answered[] = [];
  /** Answers to requests that were on their way when the process died. */
  const across: Answered[] = [];
  let earlier: string | undefined;
  for (let round = 0; round < ROUNDS && victim.child.signalCode === null; round++) {
    const current = round === 0 ? couponId : await judged.newCoupon(keeper, COUPONS);
    const calls = callsOf(current, earlier);
    const [answers] = await Promise.all([untilDefinite(calls, urls), meanwhile?.(current)]);
    answered.push(...answers);
    if (victim.child.signalCode !== null) across.push(...answers);
    earlier = current;
  }
  expect(victim.child.signalCode).toBe('SIGKILL');
  await successor;

  expect(answered.filter(({ answer }) => !answer)).toEqual([]);
  const verdict = await judged.verdict(figuresOf(before, answered));
  expect(verdict.reasons).toEqual(deadLetters ? [expect.stringMatching(/^\d+ dead letters$/)] : []);
  expect(verdict.verdict).toBe(deadLetters ? 'INCONCLUSIVE' : 'PASS');
  expect(verdict.lostPromises).toBe(0);
  const compared = ['client-coupons', 'client-charges', 'client-orders'].map((id) =>
    verdict.checks.find((check) => check.id === id),
  );
  for (const check of compared) expect(check?.checked).toBeGreaterThan(20);
  expect(await miscounted(judged.own)).toEqual([]);
  if (unanswered)
    expect(across.filter(({ call, answer }) => call.kind === unanswered && answer?.replayed)).not.toEqual([]);
  expect(await replaysThatDiffer(answered, urls)).toEqual([]);
  seen.push({ at, roles, ...whatClientsSaw(across), compared: compared.map((check) => check?.checked) });
  return across.filter(({ call, tries }) => served.includes(call.kind) && tries.includes('no answer')).length;
}

it('names every point that the program has', () => {
  expect(new Set(CRASHES.map(({ at }) => at.split('#')[0]))).toEqual(new Set(CRASH_POINTS));
});

/** Answers on the way to the definite one, and how many of those were replays. */
function whatClientsSaw(across: Answered[]) {
  const count = (texts: string[]) =>
    Object.fromEntries([...Map.groupBy(texts, (text) => text)].map(([text, of]) => [text, of.length]));
  return {
    first: count(across.filter(({ tries }) => tries.length > 1).map(({ call, tries }) => `${call.kind} ${tries[0]}`)),
    tries: count(across.flatMap(({ call, tries }) => tries.map((text) => `${call.kind} ${text}`))),
    replayed: count(across.filter(({ answer }) => answer?.replayed).map(({ call }) => call.kind)),
  };
}
