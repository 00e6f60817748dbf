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

/** Those that need hours, or half an hour, even so. */
const NOT_HERE = ['OnrushBudgetBurnsSlowly', 'OnrushVerifierSilent'];
const PROVOKED = [...new Set(ALERTS.map(({ name }) => name))].filter((name) => !NOT_HERE.includes(name));

let stack: ObservedStack;
/** Seconds from the provocation to each alert, and from its cause's end to its own. */
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

  const began = Date.now();
  const undo = await provoke();
  await watch((names) => {
    for (const name of names) if (!fired.has(name)) fired.set(name, (Date.now() - began) / 1000);
    return PROVOKED.every((name) => fired.has(name) || name === 'OnrushNoGatekeeper');
  }, 150_000);
  stack.processes.gatekeeper?.child.kill('SIGSTOP');
  await watch((names) => {
    if (names.has('OnrushNoGatekeeper')) fired.set('OnrushNoGatekeeper', (Date.now() - began) / 1000);
    return names.has('OnrushNoGatekeeper');
  }, 60_000);

  const ended = Date.now();
  await undo();
  loads[0]?.child.kill('SIGINT');
  await watch((names) => {
    for (const name of fired.keys())
      if (names.has(name)) resolved.delete(name);
      else if (!resolved.has(name)) resolved.set(name, (Date.now() - ended) / 1000);
    return [...fired.keys()].every((name) => resolved.has(name));
  }, 240_000);
  report();
}, 600_000);

afterAll(() => stack?.remove(), 60_000);

test.each(PROVOKED)('%s fires and resolves', (name) => {
  expect([name, fired.get(name), resolved.get(name)]).toEqual([name, expect.any(Number), expect.any(Number)]);
});

/** Starts all causes; returns what ends them. */
async function provoke(): Promise<() => Promise<void>> {
  const { own, processes } = stack;
  const undo: (() => Promise<unknown>)[] = [];
  await deadLetter();
  await losePromise();

  // A won too much, an event that was given up.
  await own.db.query("UPDATE users SET balance = balance + 1 WHERE id = 'test-user-2999'");
  undo.push(() => own.db.query("UPDATE users SET balance = balance - 1 WHERE id = 'test-user-2999'"));

  // Somebody holds the ten wallets that are charged, and events that should be published.
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
  await own.db.query("UPDATE outbox_events SET status = 'FAILED' WHERE status = 'PUBLISHED' LIMIT 1");
  undo.push(() => own.db.query("UPDATE outbox_events SET status = 'PUBLISHED' WHERE status = 'FAILED'"));
  relay?.kill('SIGCONT');
  const wallets = await own.db.getConnection();
  await wallets.beginTransaction();
  const ten = Array.from({ length: 10 }, (_, n) => `test-user-${n + 1}`);
  await wallets.query('SELECT balance FROM users WHERE id IN (?) FOR UPDATE', [ten]);
  undo.push(() => endOf(wallets));

  // Consumers stand still; a gate that is to be rebuilt waits for them, and promises behind it.
  processes.workers?.child.kill('SIGSTOP');
  undo.push(async () => processes.workers?.child.kill('SIGCONT'));
  await fillTopic(10_500);
  await own.redis.sadd(own.names.rebuildRequests, COUPON);
  await sleep(1_000);
  const entry = ['coupon', COUPON, 'user', 'nobody', 'key', '', 'generation', 'old', 'at', String(Date.now())];
  await own.redis.xadd(own.names.stream, '*', ...entry);

  return async () => {
    processes.gatekeeper?.child.kill('SIGCONT');
    for (const step of undo.reverse()) await step();
  };
}

async function endOf(connection: PoolConnection): Promise<void> {
  await connection.rollback();
  connection.release();
}

async function deadLetter(): Promise<void> {
  const producer = stack.own.kafka.producer();
  await producer.connect();
  await producer.send({ topic: stack.own.names.couponTopic, messages: [{ value: 'not json' }] });
  await producer.disconnect();
}

/** A user whom the gate believes to have been promised a coupon, and of whom nobody else knows. */
async function losePromise(): Promise<void> {
  const { redis, names } = stack.own;
  await redis.hset(names.admitted(COUPON), 'test-user-2998', '1700000000000-1|');
  await redis.sadd(names.rebuildRequests, COUPON);
  await eventually(
    () => redis.hexists(names.admitted(COUPON), 'test-user-2998'),
    (there) => there === 0,
    30_000,
  );
  await untilGateOpen();
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

/** Looks each second at what is firing until that is enough, or the time is over: then the tests say what is missing. */
async function watch(enough: (names: Set<string>) => boolean, patienceMs: number): Promise<void> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(1_000))
    if (enough(await firing())) return;
}

/** The rules with every duration of theirs divided. */
function faster(rules: string): string {
  const seconds = { s: 1, m: 60, h: 3600 } as const;
  const shorter = (_: string, before: string, number: string, unit: keyof typeof seconds) =>
    `${before}${Math.ceil((Number(number) * seconds[unit]) / FASTER)}s`;
  return rules.replace(/(\[|offset |for: |interval: )(\d+)([smh])/g, shorter);
}

function report(): void {
  const lines = PROVOKED.map(
    (name) => `| ${name} | ${fired.get(name)?.toFixed(0)} | ${resolved.get(name)?.toFixed(0)} |`,
  );
  const head = [
    '| alert | s from its cause until it fired | s from its cause’s end until it resolved |',
    '|---|---|---|',
  ];
  mkdirSync(inState('results'), { recursive: true });
  writeFileSync(inState('results', 'alerts.md'), `${[...head, ...lines].join('\n')}\n`);
}
