import { mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { inState } from '../engines/directory.ts';
import { eventually } from '../loadtests/test/stack.ts';
import { groupsOf, readsOf } from './monitor/expression.ts';
import { askPanel, filledIn, type GrafanaPanel, type Period, panelsOf, readDashboards } from './monitor/grafana.ts';
import { type ObservedStack, observedStack } from './monitor/observed-stack.ts';
import { drawAll } from './pictures/draw-all.ts';
import { DASHBOARDS } from './source/dashboards.ts';
import { RULES_FILE } from './source/generated.ts';
import type { Metric } from './source/metric.ts';
import * as known from './source/metrics.ts';

const USERS = 4_000;
const SECONDS = 50;
const COUPON = 'test-coupon-1';

/** Why a panel may be empty. */
const reasons = new Map<string, string | undefined>(
  DASHBOARDS.flatMap(({ uid, rows }) =>
    rows.flatMap((row) => row.panels.map((panel) => [`${uid} ${panel.title}`, panel.mayBeEmpty] as const)),
  ),
);
/** Panels that show a line that says so where there is nothing. */
const goodNews = new Set<string>(
  DASHBOARDS.flatMap(({ uid, rows }) =>
    rows.flatMap((row) =>
      row.panels.filter((panel) => 'none' in panel && panel.kind !== 'stat').map((panel) => `${uid} ${panel.title}`),
    ),
  ),
);
const metrics = new Map(
  Object.values(known).flatMap((group) => Object.values(group).map((metric: Metric<string>) => [metric.name, metric])),
);
/** A histogram's series, or a metric's. */
const metricOf = (series: string) => metrics.get(series) ?? metrics.get(series.replace(/_(bucket|sum|count)$/, ''));

const panels = readDashboards().flatMap((dashboard) =>
  panelsOf(dashboard).map((panel) => ({ key: `${dashboard.uid} ${panel.title}`, dashboard: dashboard.title, panel })),
);
const rules = (
  parse(readFileSync(RULES_FILE, 'utf8')).groups as { rules: { alert?: string; expr: string }[] }[]
).flatMap((group) => group.rules);

let stack: ObservedStack;
let period: Period;
let there: Set<string>;
/** Metrics that were asked for and are not there, for a reason. */
const notThere = new Set<string>();
/** Panels of nothing else. */
const notHere = new Set<string>();

beforeAll(async () => {
  const from = Math.floor(Date.now() / 1000);
  stack = await observedStack('proof', { users: USERS, interval: 5 });
  const { events } = stack;
  await eventually(
    () => stack.own.redis.exists(stack.own.names.gate(COUPON)),
    (open) => open === 1,
    30_000,
  );
  await events.tell('start', 'smoke');
  await events.tell('stage', 'all scenarios at once');
  const env = { PROFILE: 'smoke', SECONDS: String(SECONDS) };
  const loads = [
    stack.load('coupon', 'coupon-issue.ts', env),
    stack.load('charge', 'balance-charge.ts', env),
    stack.load('order', 'order-payment.ts', env),
    stack.load('journey', 'journey.ts', env),
  ];
  await sleep(10_000);
  await oneOfEverything();
  await Promise.all(loads.map(({ done }) => done));
  await events.tell('end', 'smoke');
  await events.tell('verdict', 'PASS');
  // Once more read, recorded and verified.
  await sleep(12_000);
  period = { from, to: Math.floor(Date.now() / 1000), step: 5 };
  there = await stack.prometheus.metricNames();
}, 300_000);

afterAll(() => stack?.remove(), 60_000);

/** What a minute of good load does not show: repeats, refusals, dead letters, a rebuilt gate, a row that somebody holds. */
async function oneOfEverything(): Promise<void> {
  const { own, url } = stack;
  const charge = (user: string, amount: number) =>
    fetch(`${url}/api/users/${user}/balance/charge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'proof-1' },
      body: JSON.stringify({ amount }),
    });
  await charge('test-user-11', 1_000);
  await charge('test-user-11', 1_000);
  await charge('test-user-11', 2_000);
  await charge('nobody', 1_000);
  const producer = own.kafka.producer();
  await producer.connect();
  await producer.send({ topic: own.names.couponTopic, messages: [{ value: 'not json' }] });
  await producer.disconnect();
  await own.redis.del(own.names.gate(COUPON));
  await own.redis.sadd(own.names.rebuildRequests, COUPON);
  const holder = await own.db.getConnection();
  for (let times = 0; times < 3; times++) {
    await holder.beginTransaction();
    await holder.query("SELECT balance FROM users WHERE id BETWEEN 'test-user-1' AND 'test-user-10' FOR UPDATE");
    await sleep(1_500);
    await holder.rollback();
    await sleep(500);
  }
  holder.release();
}

describe('panels', () => {
  test.each(panels)('$key', async ({ key, panel }) => {
    const asked = await askPanel(stack.prometheus, panel, period);
    expect(asked.flatMap(({ warnings }) => warnings)).toEqual([]);
    const found: boolean[] = [];
    for (const { expr } of panel.targets) found.push(await expectKnown(filledIn(expr, period), key));
    if (!found.includes(true)) {
      expect([key, reasons.get(key)]).toEqual([key, expect.stringContaining('Kubernetes')]);
      notHere.add(key);
      return;
    }
    const empty = asked.filter(
      ({ series }) => !series.some(({ values }) => values.some(([, value]) => Number.isFinite(value))),
    );
    // Either there is something, or the line that says that there is nothing.
    if (goodNews.has(key)) expect(empty.length).toBeLessThan(asked.length);
    else expect(empty.map(({ refId, legend }) => `${refId}: ${legend}`)).toEqual([]);
  });
});

describe('rules', () => {
  test('are all loaded and none fails', async () => {
    const { data } = await stack.prometheus.ask('rules', {});
    const loaded = (
      data as { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
    ).groups.flatMap((group) => group.rules);
    expect(loaded).toHaveLength(rules.length);
    expect(loaded.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test.each(rules.map(({ alert, expr }, index) => ({ name: alert ?? 'record', index, expr })))(
    '$name ($index) reads what is there',
    async ({ name, expr }) => {
      await expectKnown(expr, name);
    },
  );
});

const KUBERNETES = Object.values(known.kube).map(({ name }) => name);
test(`all metrics were there but the other engine’s count of deadlocks and Kubernetes’: ${KUBERNETES.join(', ')}`, () => {
  // MySQL and MariaDB count them under different names.
  const deadlocks = [known.mysql.deadlocks.name, known.mysql.deadlocksOfMariaDb.name];
  const other = deadlocks.filter((name) => notThere.has(name));
  expect(other).toHaveLength(1);
  expect([...notThere].sort()).toEqual([...KUBERNETES, ...other].sort());
});

test('every scenario has been seen by the server and by the generator', async () => {
  for (const query of [
    'count(count by (scenario) (k6_http_reqs_total{run!=""}))',
    'count(count by (route) (onrush_http_request_duration_seconds_count{method="POST",status=~"2.."})) > bool 2',
  ]) {
    const { series } = await stack.prometheus.instant(`max_over_time((${query})[${SECONDS + 60}s:5s])`, period.to);
    expect([query, Number(series[0]?.values[0]?.[1])]).toEqual([query, query.includes('k6') ? 4 : 1]);
  }
});

test('the panels can be drawn', async () => {
  const directory = inState('pictures');
  mkdirSync(directory, { recursive: true });
  const drawn = await drawAll(stack.prometheus, period, directory);
  for (const { dashboard, panels: seen } of drawn)
    expect(seen.map(({ title }) => title)).toEqual(
      panelsOf(dashboard)
        .filter((panel) => isOpen(dashboard.panels, panel))
        .map(({ title }) => title),
    );
  const blank = drawn.flatMap(({ dashboard, panels: seen }) =>
    seen.filter(({ blank: nothing }) => nothing).map(({ title }) => `${dashboard.uid} ${title}`),
  );
  expect(blank.filter((key) => !notHere.has(key))).toEqual([]);
}, 60_000);

const isOpen = (rows: GrafanaPanel[], panel: GrafanaPanel) => rows.includes(panel);

/** That Prometheus has the metrics and labels which the query names. @returns whether it has any of them */
async function expectKnown(query: string, where: string): Promise<boolean> {
  const tree = await stack.prometheus.parse(query);
  let any = false;
  for (const { metric, labels } of readsOf(tree)) {
    if (absent(metric, where)) continue;
    any = true;
    expect([where, metric, there.has(metric)]).toEqual([where, metric, true]);
    const has = await stack.prometheus.labelsOf(metric);
    expect([where, metric, labels.filter((label) => !has.has(label))]).toEqual([where, metric, []]);
  }
  for (const { labels, metrics: below } of groupsOf(tree)) {
    const present = below.filter((metric) => !absent(metric, where));
    if (present.length === 0) continue;
    const has = new Set<string>();
    for (const metric of present) for (const label of await stack.prometheus.labelsOf(metric)) has.add(label);
    expect([where, labels.filter((label) => !has.has(label))]).toEqual([where, []]);
  }
  return any;
}

/** Metrics that are not there for a reason: another engine’s, Kubernetes’. */
function absent(series: string, where: string): boolean {
  const metric = metricOf(series);
  if (!metric) throw new Error(`${where}: ${series} is in no list of dashboards/source/metrics.ts`);
  if (there.has(series)) return false;
  const forAReason = metric.only !== undefined || Object.values(known.kube).includes(metric as never);
  if (forAReason) notThere.add(metric.name);
  return forAReason;
}
