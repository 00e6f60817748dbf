import type { Scraped } from './metric.ts';
import { kube, mysql, node, onrush, redis } from './metrics.ts';
import {
  alongside,
  atLeast,
  DASHBOARD,
  divide,
  like,
  max,
  minus,
  plus,
  queries,
  sum,
  unlike,
  type Vector,
} from './promql.ts';
import type { DashboardSpec, Panel } from './spec.ts';

const { value, rate, increase, rateOfSum, quantile } = queries(DASHBOARD);

/** Exporters are processes too; these are the program's. */
const ours = <L extends Scraped>(of: Vector<L>) => alongside(of, value(onrush.buildInfo));
const perProcess = ['service', 'pod'] as const;

const STATEMENTS = ['select', 'insert', 'update', 'delete', 'commit', 'rollback'] as const;

/** What the program asks of Redis, but for what it asks rarely. */
const COMMANDS = ['evalsha', 'xread', 'smembers', 'xdel', 'hdel', 'eval'] as const;
const busy = { cmd: like(COMMANDS.join('|')) };

const database: Panel[] = [
  {
    kind: 'stat',
    title: 'MySQL',
    description: 'Whether the exporter gets an answer from it. Down: every write is refused with 503 until it is back.',
    width: 4,
    height: 8,
    unit: 'short',
    queries: [{ legend: 'up', expr: max(value(mysql.up)) }],
    words: { 0: { text: 'down', colour: 'vermilion' }, 1: { text: 'up', colour: 'green' } },
  },
  {
    kind: 'chart',
    title: 'Connections, of those it accepts',
    description:
      'Near 100 % new ones are refused. The chart refuses values that could come there; look for another client.',
    width: 6,
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        legend: 'connected',
        expr: divide(max(value(mysql.connected)), max(value(mysql.maxConnections))),
        colour: 'blue',
      },
    ],
    limit: { at: 0.9, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Threads at work',
    description:
      'Statements that run at a time. Far above its cores: it is the bottleneck, and more connections make it slower.',
    width: 7,
    unit: 'short',
    queries: [{ legend: 'running', expr: max(value(mysql.running)), colour: 'blue' }],
  },
  {
    kind: 'chart',
    title: 'Statements a second',
    description: 'By kind. Many rollbacks: refusals or retries; see Lock wait.',
    width: 7,
    unit: 'ops',
    names: STATEMENTS,
    queries: [
      { legend: '{{command}}', expr: sum(rate(mysql.commands, { command: like(STATEMENTS.join('|')) }), ['command']) },
    ],
  },
  {
    kind: 'chart',
    title: 'Fsyncs a second',
    description:
      'Each commit waits for one. Much fewer than transactions: group commit at work; falling under load: the disk is the limit.',
    width: 8,
    height: 7,
    unit: 'ops',
    queries: [{ legend: 'fsyncs', expr: sum(rate(mysql.fsyncs)), colour: 'blue' }],
  },
  {
    kind: 'chart',
    title: 'Pages read from disk a second',
    description:
      'Should be near zero once warm. Rising: the data have outgrown the buffer pool; raise innodb_buffer_pool_size.',
    width: 8,
    height: 7,
    unit: 'ops',
    queries: [{ legend: 'pages', expr: sum(rate(mysql.pageReads)), colour: 'blue' }],
  },
  {
    kind: 'chart',
    title: 'Slow queries',
    description: 'Beyond long_query_time (10 s unless set). Any: see the slow log.',
    width: 8,
    height: 7,
    unit: 'short',
    queries: [{ legend: 'slow', expr: sum(increase(mysql.slowQueries, {}, '$__rate_interval')), colour: 'orange' }],
  },
];

const cache: Panel[] = [
  {
    kind: 'stat',
    title: 'Redis',
    description:
      'Whether the exporter gets an answer from it. Down: coupon gates are closed, orders go on without their lock.',
    width: 4,
    height: 8,
    unit: 'short',
    queries: [{ legend: 'up', expr: max(value(redis.up)) }],
    words: { 0: { text: 'down', colour: 'vermilion' }, 1: { text: 'up', colour: 'green' } },
  },
  {
    kind: 'chart',
    title: 'Commands',
    description:
      'A second. evalsha is the gate and the order lock, xread and smembers the gatekeeper’s polling, hdel promises that were rejected.',
    width: 7,
    unit: 'ops',
    names: COMMANDS,
    queries: [{ legend: '{{cmd}}', expr: sum(rate(redis.commands, busy), ['cmd']) }],
  },
  {
    kind: 'chart',
    title: 'Time for a command (average)',
    names: COMMANDS,
    description: 'Of the same commands. Redis does one at a time: one slow command makes all others wait.',
    width: 7,
    unit: 's',
    queries: [
      {
        legend: '{{cmd}}',
        expr: divide(
          sum(rate(redis.commandSeconds, busy), ['cmd']),
          atLeast(sum(rate(redis.commands, busy), ['cmd']), 0.001),
        ),
      },
    ],
  },
  {
    kind: 'chart',
    title: 'Redis: CPU',
    description: 'Cores. At one it can do no more: the gate is then the limit of the drop.',
    width: 6,
    unit: 'short',
    decimals: 2,
    queries: [{ legend: 'cores', expr: plus(sum(rate(redis.userCpu)), sum(rate(redis.systemCpu))), colour: 'blue' }],
    limit: { at: 1, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Redis: memory',
    description:
      'It never evicts: at its limit every promise is refused. It grows with promised users; finished sales can be deleted.',
    width: 8,
    height: 7,
    unit: 'bytes',
    queries: [{ legend: 'used', expr: max(value(redis.memory)), colour: 'blue' }],
  },
  {
    kind: 'chart',
    title: 'Redis: connections',
    description: 'Three for each process. Many more: a client that does not close them.',
    width: 8,
    height: 7,
    unit: 'short',
    queries: [{ legend: 'connected', expr: max(value(redis.clients)), colour: 'blue' }],
  },
  {
    kind: 'chart',
    title: 'Redis: fsyncs that were late',
    description:
      'Writes that had to wait for the disk. Rising: the disk is shared with something that writes much, often MySQL.',
    width: 8,
    height: 7,
    unit: 'short',
    queries: [
      { legend: 'delayed', expr: sum(increase(redis.delayedFsyncs, {}, '$__rate_interval')), colour: 'orange' },
    ],
  },
];

const brokers: Panel[] = [
  {
    kind: 'chart',
    title: 'Kafka, as its clients see it: time to the acknowledgement',
    description: 'All topics. The brokers’ own metrics need JMX; if this is short and the lag falls, they are well.',
    width: 12,
    height: 7,
    unit: 's',
    queries: [
      { legend: 'p50', expr: quantile(0.5, onrush.produce), colour: 'sky' },
      { legend: 'p95', expr: quantile(0.95, onrush.produce), colour: 'blue' },
    ],
  },
  {
    kind: 'chart',
    title: 'Kafka, as its clients see it: batches a second',
    description: 'By topic. Zero while promises or events wait: the brokers take nothing.',
    width: 12,
    height: 7,
    unit: 'ops',
    queries: [{ legend: '{{topic}}', expr: sum(rate(onrush.produce), ['topic']) }],
  },
];

const processes: Panel[] = [
  {
    kind: 'chart',
    title: 'Node: CPU by process',
    description: 'Cores; a process can use little more than one. At one: add a pod.',
    width: 8,
    unit: 'short',
    decimals: 2,
    queries: [{ legend: '{{service}} {{pod}}', expr: sum(ours(rate(node.cpu)), perProcess) }],
    limit: { at: 1, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Node: event loop late by (p99)',
    description:
      'Every request of the process waits for it. Above 100 ms: a core is full, or something computes for long.',
    width: 8,
    unit: 's',
    queries: [{ legend: '{{service}} {{pod}}', expr: max(value(node.loopLag), perProcess) }],
    limit: { at: 0.1, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Node: time collecting garbage',
    description: 'Share of a core. Above a tenth: the heap is too small for the load; raise the memory limit.',
    width: 8,
    unit: 'percentunit',
    queries: [{ legend: '{{service}} {{pod}}', expr: sum(rateOfSum(node.gc), perProcess) }],
    limit: { at: 0.1, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Node: memory',
    description: 'Resident. Only rising over hours: a leak; the pod will be killed at its limit.',
    width: 8,
    unit: 'bytes',
    queries: [{ legend: '{{service}} {{pod}}', expr: max(ours(value(node.memory)), perProcess) }],
  },
  {
    kind: 'chart',
    title: 'Node: heap in use',
    description: 'A saw is normal; teeth that begin higher and higher are a leak.',
    width: 8,
    unit: 'bytes',
    queries: [{ legend: '{{service}} {{pod}}', expr: max(value(node.heapUsed), perProcess) }],
  },
  {
    kind: 'table',
    title: 'What runs',
    description: 'Versions side by side: two of them outside of an upgrade are a rollout that hangs.',
    width: 8,
    unit: 'short',
    query: { legend: '', expr: sum(value(onrush.buildInfo), ['namespace', 'service', 'version', 'node']) },
    columns: { namespace: 'Namespace', service: 'Service', version: 'Version', node: 'Node' },
    value: 'Processes',
  },
];

const signals: Panel[] = [
  {
    kind: 'chart',
    title: 'Requests traced',
    description:
      'By why: sampled, or because they failed or missed their target. Many slow ones: pick one and read its story (npm run explain).',
    width: 12,
    height: 7,
    unit: 'reqps',
    names: ['sampled', 'slow', 'failed'],
    queries: [{ legend: '{{reason}}', expr: sum(rate(onrush.traces), ['reason']) }],
  },
  {
    kind: 'chart',
    title: 'Spans',
    description:
      'What became of them. Dropped or failed: the trace store is away or too slow; requests do not wait for it.',
    width: 12,
    height: 7,
    unit: 'ops',
    names: ['exported', 'dropped', 'failed'],
    queries: [{ legend: '{{result}}', expr: sum(rate(onrush.spans), ['result']) }],
  },
];

const OUTSIDE = 'only Kubernetes has these';
const named = { container: unlike('POD|') };
const pods: Panel[] = [
  {
    kind: 'chart',
    title: 'Restarts',
    description:
      'In ten minutes. Any outside of an upgrade: kubectl describe pod says whether memory, a probe or the program ended it.',
    width: 8,
    unit: 'short',
    queries: [{ legend: '{{pod}}', expr: sum(increase(kube.restarts, {}, '10m'), ['pod']) }],
    mayBeEmpty: OUTSIDE,
  },
  {
    kind: 'chart',
    title: 'Pods missing',
    description:
      'Wanted and not available, by Deployment. For long: no room on the nodes, or pods that do not become ready.',
    width: 8,
    unit: 'short',
    queries: [
      {
        legend: '{{deployment}}',
        expr: minus(sum(value(kube.replicas), ['deployment']), sum(value(kube.available), ['deployment'])),
      },
    ],
    mayBeEmpty: OUTSIDE,
  },
  {
    kind: 'chart',
    title: 'CPU throttled',
    description:
      'Share of periods in which a container was stopped by its limit. The chart sets no CPU limits; above 10 %: take away whoever does.',
    width: 8,
    unit: 'percentunit',
    queries: [
      {
        legend: '{{pod}}',
        expr: divide(
          sum(rate(kube.throttled, named), ['pod']),
          atLeast(sum(rate(kube.periods, named), ['pod']), 0.001),
        ),
      },
    ],
    limit: { at: 0.1, bad: 'above' },
    mayBeEmpty: `${OUTSIDE}, and containers without a CPU limit have none`,
  },
  {
    kind: 'chart',
    title: 'CPU by pod',
    description:
      'Cores, engines included. Their sum near the node’s: everything slows down together; more pods do not help.',
    width: 12,
    unit: 'short',
    decimals: 2,
    queries: [{ legend: '{{pod}}', expr: sum(rate(kube.cpu, named), ['pod']) }],
    mayBeEmpty: OUTSIDE,
  },
  {
    kind: 'chart',
    title: 'Memory, of the limit',
    description: 'At 100 % the container is killed. Rising without load: a leak; with load: raise the limit.',
    width: 12,
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        legend: '{{pod}}',
        expr: divide(sum(value(kube.memory, named), ['pod']), sum(value(kube.limits, { resource: 'memory' }), ['pod'])),
      },
    ],
    limit: { at: 0.9, bad: 'above' },
    mayBeEmpty: OUTSIDE,
  },
];

export const enginesAndPods: DashboardSpec = {
  uid: 'onrush-engines-and-pods',
  title: 'Onrush / Engines and pods',
  description: 'MySQL, Redis, Kafka, the Node processes, and the pods they run in.',
  rows: [
    { title: 'MySQL', panels: database },
    { title: 'Redis', panels: cache },
    { title: 'Kafka', panels: brokers },
    { title: 'Node', panels: processes },
    { title: 'Traces', panels: signals },
    { title: 'Kubernetes', collapsed: true, panels: pods },
  ],
};
