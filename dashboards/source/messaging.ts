import { onrush } from './metrics.ts';
import { DASHBOARD, max, orZero, queries, sum } from './promql.ts';
import type { DashboardSpec, Panel } from './spec.ts';

const { value, rate, increase, quantile } = queries(DASHBOARD);

const now: Panel[] = [
  {
    kind: 'stat',
    title: 'Outbox: oldest event',
    description: 'How long the oldest unpublished order event waits. Above a minute: OnrushOutboxStuck.',
    width: 6,
    unit: 's',
    queries: [{ legend: 'age', expr: max(value(onrush.outboxAge)) }],
    limits: { attention: 10, bad: 60 },
  },
  {
    kind: 'stat',
    title: 'Consumers behind',
    description: 'Messages that no group has committed yet. Only rising: a consumer is too slow or has stopped.',
    width: 6,
    unit: 'locale',
    queries: [{ legend: 'messages', expr: sum(value(onrush.consumerLag)) }],
    limits: { attention: 1_000, bad: 10_000 },
  },
  {
    kind: 'stat',
    title: 'Events given up',
    description: 'Order events that were tried too often. Any: OnrushOutboxFailed tells how they are redriven.',
    width: 6,
    unit: 'locale',
    queries: [{ legend: 'FAILED', expr: orZero(max(value(onrush.outboxBacklog, { status: 'FAILED' }))) }],
    limits: { attention: 1, bad: 1 },
  },
  {
    kind: 'stat',
    title: 'Dead letters',
    description:
      'Messages that could not be read, since the processes started. Any: OnrushDeadLetters; the verdict stays open until they are looked at.',
    width: 6,
    unit: 'locale',
    queries: [{ legend: 'dead', expr: orZero(sum(value(onrush.deadLetters))) }],
    limits: { attention: 1, bad: 1 },
  },
];

const outbox: Panel[] = [
  {
    kind: 'chart',
    title: 'Outbox: events that wait',
    description:
      'By status. PENDING rises with orders and falls with the relay; only rising: the relay or Kafka has stopped.',
    width: 8,
    unit: 'short',
    queries: [{ legend: '{{status}}', expr: max(value(onrush.outboxBacklog), ['status']) }],
    names: ['PENDING', 'FAILED'],
  },
  {
    kind: 'chart',
    title: 'Outbox: from the order to Kafka',
    description:
      'Time from an event’s creation to the brokers’ acknowledgement. Seconds: too few relays, or slow brokers (below).',
    width: 8,
    unit: 's',
    queries: [
      { legend: 'p50', expr: quantile(0.5, onrush.outboxLag), colour: 'sky' },
      { legend: 'p95', expr: quantile(0.95, onrush.outboxLag), colour: 'blue' },
      { legend: 'p99', expr: quantile(0.99, onrush.outboxLag), colour: 'pink' },
    ],
  },
  {
    kind: 'chart',
    title: 'Outbox: published and failed',
    description:
      'Failed attempts are repeated with growing pauses. Only failed: Kafka refuses; its answer is in the relay’s log.',
    width: 8,
    unit: 'ops',
    queries: [{ legend: '{{result}}', expr: sum(rate(onrush.outbox), ['result']) }],
    names: ['published', 'failed'],
  },
];

const kafka: Panel[] = [
  {
    kind: 'chart',
    title: 'Consumers: messages behind',
    description:
      'By group. After a drop it falls; a line that only rises, or one partition alone, is a consumer that hangs.',
    width: 8,
    unit: 'short',
    queries: [{ legend: '{{group}}', expr: sum(value(onrush.consumerLag), ['group']) }],
    limit: { at: 10_000, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Consumers: messages a second',
    description: 'What each group has done. Zero while messages are behind: it has stopped.',
    width: 8,
    unit: 'ops',
    queries: [{ legend: '{{group}}', expr: sum(rate(onrush.consumed), ['group']) }],
  },
  {
    kind: 'chart',
    title: 'Produce: time to the acknowledgement (p95)',
    description:
      'By topic, with acks=all. Rising: the brokers’ disks or replicas are slow; promises and events queue up before them.',
    width: 8,
    unit: 's',
    queries: [{ legend: '{{topic}}', expr: quantile(0.95, onrush.produce, {}, ['topic']) }],
  },
  {
    kind: 'chart',
    title: 'Messages behind, by partition',
    description: 'Even lines are load, one alone is a hot key or a member that hangs: delete that pod.',
    width: 12,
    unit: 'short',
    queries: [{ legend: '{{topic}} {{partition}}', expr: sum(value(onrush.consumerLag), ['topic', 'partition']) }],
  },
  {
    kind: 'chart',
    title: 'Dead letters over time',
    description: 'New ones, by topic. Any: a producer writes what its consumers cannot read.',
    width: 12,
    unit: 'short',
    queries: [{ legend: '{{topic}}', expr: sum(increase(onrush.deadLetters, {}, '$__rate_interval'), ['topic']) }],
    none: 'none',
  },
];

export const messaging: DashboardSpec = {
  uid: 'onrush-messaging',
  title: 'Onrush / Messaging',
  description: 'Outbox, Kafka and the consumers.',
  rows: [
    { title: 'Now', panels: now },
    { title: 'Outbox', panels: outbox },
    { title: 'Kafka', panels: kafka },
  ],
};
