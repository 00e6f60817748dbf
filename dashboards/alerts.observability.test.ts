import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolConnection } from 'mysql2/promise';
import { inState } from '../engines/directory.ts';
import { eventually } from '../loadtests/test/stack.ts';
import { type ObservedStack, observedStack } from './monitor/observed-stack.ts';
import { ALERTS } from './source/alerts.ts';
import { RULES_FILE } from './source/generated.ts';

/*
 * Each alert is provoked on a running system, seen firing, and seen resolving once its cause is gone. Time passes four times
 * as fast in the rules of this test; their true durations are promtool's to check (rules.test.yaml).
 */
const FASTER = 4;
const COUPON = 'test-coupon-1';
const USERS = 3_000;
/** Users of whom the load knows nothing. */
const WITHOUT_COUPON = `test-user-${USERS + 1}`;
const WITHOUT_MOVES = `test-user-${USERS + 2}`;

/** Those that need hours, or half an hour, even so. */
const NOT_HERE = ['OnrushBudgetBurnsSlowly', 'OnrushVerifierSilent'];
/** Those of events, which are remembered for ten minutes. */
const ONCE = ['OnrushDeadLetters', 'OnrushLostPromises'];
const PROVOKED = [...new Set(ALERTS.map(({ name }) => name))].filter((name) => !NOT_HERE.includes(name));

let stack: ObservedStack;
/** What was done for an alert to fire; moments are Date.now(). A cause that is over at once ends when it begins. */
interface Cause {
  what: string;
  began: number;
  ended?: number;
}
const causes = new Map<string, Cause>();
/** When each alert was first seen firing, and since when it is not. */
const fired = new Map<string, number>();
const resolved = new Map<string, number>();

beforeAll(async () => {
  const directory = inState('run');
  mkdirSync(directory, { recursive: true });
  const rules = `${directory}/faster-rules.yaml`;
  writeFileSync(rules, faster(readFileSync(RULES_FILE, 'utf8')));
  stack = await observedStack('alerts', {
    users: USERS,
    interval: 2,
    rules,
    env: { ONRUSH_WRITE_POOL: '2' },
  });
  await untilGateOpen();
  const loads = [
    // Published, because only such a run has a baseline; it is ended when it is no longer needed.
    stack.load('charge', 'balance-charge.ts', { PROFILE: 'published' }),
    stack.load('order', 'order-payment.ts', { PROFILE: 'smoke', SECONDS: '150' }),
    stack.load('coupon', 'coupon-issue.ts', { PROFILE: 'smoke', SECONDS: '20' }),
  ];
  await sleep(22_000);
  expect([...(await firing())].filter((name) => name !== 'OnrushSlow')).toEqual([]);

  await provokeAtOnce();
  await watch((names) => names.has('OnrushDeadLetters') && names.has('OnrushLostPromises'), 30_000);
  const undo = await provoke();
  const others = PROVOKED.filter((name) => name !== 'OnrushNoGatekeeper');
  await watch(() => others.every((name) => fired.has(name)), 150_000);
  await undo();
  loads[0]?.child.kill('SIGINT');
  for (const cause of causes.values()) cause.ended ??= Date.now();
  const lasting = others.filter((name) => !ONCE.includes(name));
  await watch((names) => lasting.every((name) => !names.has(name)), 150_000);

  // By itself: what only the gatekeeper tells would not be seen meanwhile, and seem resolved.
  begin('the gatekeeper stands still', 'OnrushNoGatekeeper');
  stack.processes.gatekeeper?.child.kill('SIGSTOP');
  await watch((names) => names.has('OnrushNoGatekeeper'), 60_000);
  stack.processes.gatekeeper?.child.kill('SIGCONT');
  for (const cause of causes.values()) cause.ended ??= Date.now();
  await watch((names) => PROVOKED.every((name) => !names.has(name)), 180_000);
  report();
}, 600_000);

afterAll(() => stack?.remove(), 60_000);

test.each(PROVOKED)('%s fires and resolves', (name) => {
  expect([name, fired.get(name), resolved.get(name)]).toEqual([name, expect.any(Number), expect.any(Number)]);
});

/** Notes what begins now, and which alerts it is to bring. */
function begin(what: string, ...names: string[]): void {
  for (const name of names) causes.set(name, { what, began: Date.now() });
}

/** The same for what is done once and over. */
function beginAndEnd(what: string, ...names: string[]): void {
  for (const name of names) causes.set(name, { what, began: Date.now(), ended: Date.now() });
}

test(`${NOT_HERE.join(' and ')} take hours or half an hour: promtool alone proves them`, () => {
  expect(ALERTS.map(({ name }) => name)).toEqual(expect.arrayContaining(NOT_HERE));
});

/** What happens once and is over. */
async function provokeAtOnce(): Promise<void> {
  await deadLetter();
  await losePromise();
}

/** Starts the causes that last; returns what ends them. */
async function provoke(): Promise<() => Promise<void>> {
  const { own, processes } = stack;
  const undo: (() => Promise<unknown>)[] = [];
  begin('one won too much in a wallet', 'OnrushInvariantViolated');
  const add = (won: number) =>
    own.db.query('UPDATE users SET balance = balance + ? WHERE id = ?', [won, WITHOUT_MOVES]);
  await add(1);
  undo.push(() => add(-1));

  begin('a session holds the unpublished events', 'OnrushOutboxStuck');
  const relay = processes.relay?.child;
  relay?.kill('SIGSTOP');
  await eventually(
    () => own.value("SELECT COUNT(*) FROM outbox_events WHERE status = 'PENDING'"),
    (pending) => pending > 10,
    30_000,
  );
  const holder = await own.db.getConnection();
  await holder.beginTransaction();
  await holder.query("SELECT id FROM outbox_events WHERE status = 'PENDING' FOR UPDATE");
  undo.push(() => endOf(holder));
  begin('an event is marked as given up', 'OnrushOutboxFailed');
  await own.db.query("UPDATE outbox_events SET status = 'FAILED' WHERE status = 'PUBLISHED' LIMIT 1");
  undo.push(() => own.db.query("UPDATE outbox_events SET status = 'PUBLISHED' WHERE status = 'FAILED'"));
  relay?.kill('SIGCONT');
  begin(
    'a session holds the ten wallets that are being charged',
    'OnrushSlow',
    'OnrushErrors',
    'OnrushBelowBaseline',
    'OnrushBudgetBurnsFast',
    'OnrushRowsContended',
    'OnrushPoolSaturated',
  );
  const wallets = await own.db.getConnection();
  await wallets.beginTransaction();
  const ten = Array.from({ length: 10 }, (_, n) => `test-user-${n + 1}`);
  await wallets.query('SELECT balance FROM users WHERE id IN (?) FOR UPDATE', [ten]);
  undo.push(() => endOf(wallets));

  begin('the consumers stand still', 'OnrushConsumerStopped', 'OnrushTargetDown');
  processes.workers?.child.kill('SIGSTOP');
  undo.push(async () => processes.workers?.child.kill('SIGCONT'));
  begin('10,500 messages wait for them', 'OnrushConsumerBehind');
  await fillTopic(10_500);
  // The gate waits until everything promised is settled, and promises behind it.
  begin('a gate is to be rebuilt meanwhile', 'OnrushGateClosed', 'OnrushPromisesStuck');
  await closeGate();
  await sleep(1_000);
  const entry = ['coupon', COUPON, 'user', 'nobody', 'key', '', 'generation', 'old', 'at', String(Date.now())];
  await own.redis.xadd(own.names.stream, '*', ...entry);

  return async () => {
    for (const step of undo.reverse()) await step();
  };
}

async function endOf(connection: PoolConnection): Promise<void> {
  await connection.rollback();
  connection.release();
}

async function deadLetter(): Promise<void> {
  beginAndEnd('a message that nobody can read', 'OnrushDeadLetters');
  const producer = stack.own.kafka.producer();
  await producer.connect();
  await producer.send({ topic: stack.own.names.couponTopic, messages: [{ value: 'not json' }] });
  await producer.disconnect();
}

/** A user whom the gate believes to have been promised a coupon, and of whom nobody else knows. */
async function losePromise(): Promise<void> {
  const { redis, names } = stack.own;
  beginAndEnd('a promise that only the gate knows of, and a rebuild', 'OnrushLostPromises');
  await redis.hset(names.admitted(COUPON), WITHOUT_COUPON, '1700000000000-1|');
  await closeGate();
  await eventually(
    () => redis.hexists(names.admitted(COUPON), WITHOUT_COUPON),
    (there) => there === 0,
    30_000,
  );
  await untilGateOpen();
}

/** As a Redis does that lost the gate. */
async function closeGate(): Promise<void> {
  const { redis, names } = stack.own;
  await redis.del(names.gate(COUPON));
  await redis.sadd(names.rebuildRequests, COUPON);
}

/** Promises of a sale that is no more: consumers drop them. */
async function fillTopic(messages: number): Promise<void> {
  const { kafka, names } = stack.own;
  const producer = kafka.producer();
  await producer.connect();
  for (let from = 0; from < messages; from += 500)
    await producer.send({
      topic: names.couponTopic,
      messages: Array.from({ length: 500 }, (_, n) => ({
        key: `${COUPON}:${from + n}`,
        value: JSON.stringify({
          couponId: COUPON,
          userId: `test-user-${1 + ((from + n) % USERS)}`,
          key: '',
          generation: 'old',
          streamId: `1700000000000-${from + n + 2}`,
          acceptedAt: Date.now(),
        }),
      })),
    });
  await producer.disconnect();
}

const untilGateOpen = () =>
  eventually(
    () => stack.own.redis.exists(stack.own.names.gate(COUPON)),
    (open) => open === 1,
    60_000,
  );

async function firing(): Promise<Set<string>> {
  const { data } = await stack.prometheus.ask('alerts', {});
  const alerts = (data as { alerts: { state: string; labels: { alertname: string } }[] }).alerts;
  return new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname));
}

/**
 * Looks each second at what is firing, and notes it, until that is enough, or the time is over: then the tests say what is
 * missing.
 */
async function watch(enough: (names: Set<string>) => boolean, patienceMs: number): Promise<void> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(1_000)) {
    const names = await firing();
    for (const name of names) if (!fired.has(name)) fired.set(name, Date.now());
    for (const name of fired.keys())
      if (names.has(name)) resolved.delete(name);
      else if (!resolved.has(name)) resolved.set(name, Date.now());
    if (enough(names)) return;
  }
}

/** The rules with every duration of theirs divided. */
function faster(rules: string): string {
  const seconds = { s: 1, m: 60, h: 3600 } as const;
  const shorter = (_: string, before: string, number: string, unit: keyof typeof seconds) =>
    `${before}${Math.ceil((Number(number) * seconds[unit]) / FASTER)}s`;
  return rules.replace(/(\[|offset |for: |interval: )(\d+)([smh])/g, shorter);
}

function report(): void {
  /** `before`: a busy machine had caused it already, or it was over while its cause lasted. */
  const seconds = (from = Number.NaN, to = Number.NaN) => (to < from ? 'before' : ((to - from) / 1000).toFixed(0));
  const lines = PROVOKED.map((name) => {
    const { what, began, ended } = causes.get(name) ?? { what: 'nothing' };
    return `| ${name} | ${what} | ${seconds(began, fired.get(name))} | ${seconds(ended, resolved.get(name))} |`;
  });
  const head = ['| alert | cause | s until it fired | s from the cause’s end until it resolved |', '|---|---|---|---|'];
  mkdirSync(inState('results'), { recursive: true });
  writeFileSync(inState('results', 'alerts.md'), `${[...head, ...lines].join('\n')}\n`);
}
