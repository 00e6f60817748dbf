import type { Attributes } from '@opentelemetry/api';
import type { Role } from '../config.ts';
import type { TransactionRecord } from '../transaction-record.ts';
import type { Span } from './span.ts';
import { childOf, type TraceContext } from './trace-context.ts';
import { transactionSpans } from './transaction-spans.ts';

/** Times are milliseconds since the epoch. */
export interface Handed {
  role: Role;
  topic: string;
  /** Where it lay until it was taken up: the Redis stream, the outbox. */
  from: 'stream' | 'outbox';
  since: number;
  taken: number;
  acknowledged: number;
  attributes: Attributes;
}

/**
 * The spans of one message handed to Kafka. `context` is the one in its headers, made with `childOf(parent)` before it was
 * sent.
 */
export function producerSpans(parent: TraceContext, context: TraceContext, handed: Handed): Span[] {
  const { role, topic, from, since, taken, acknowledged, attributes } = handed;
  const wait: Span = {
    ...childOf(parent),
    role,
    name: `wait ${from}`,
    kind: 'internal',
    parent,
    from: Math.min(since, taken),
    to: taken,
    attributes: {},
  };
  const produce: Span = {
    ...context,
    role,
    name: `produce ${topic}`,
    kind: 'producer',
    parent,
    from: taken,
    to: acknowledged,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      ...attributes,
    },
  };
  return [wait, produce];
}

export interface Consumed {
  role: Role;
  topic: string;
  group: string;
  partition: number;
  offset: string;
  /** Milliseconds since the epoch: when the producer made it, when its batch was read, when all of it was done. */
  sent: number;
  read: number;
  done: number;
  attributes: Attributes;
}

/** The spans of messages of one batch, each in its own trace, and of the transaction that served them all. */
export function consumerSpans(
  messages: (Consumed & { parent: TraceContext })[],
  record: TransactionRecord | undefined,
): Span[] {
  const spans = messages.map((message): Span => {
    const { role, topic, group, partition, offset, read, done, parent, attributes } = message;
    return {
      ...childOf(parent),
      role,
      name: `consume ${topic}`,
      kind: 'consumer',
      parent,
      links: [],
      from: read,
      to: done,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'process',
        'messaging.destination.name': topic,
        'messaging.consumer.group.name': group,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': Number(offset),
        ...attributes,
      },
    };
  });
  const waits = messages.map(
    ({ role, sent, read, parent }): Span => ({
      ...childOf(parent),
      role,
      name: 'wait topic',
      kind: 'internal',
      parent,
      from: Math.min(sent, read),
      to: read,
      attributes: {},
    }),
  );
  const [owner] = spans;
  if (!owner || !record) return [...waits, ...spans];
  const context = childOf(owner);
  const others = spans.slice(1);
  for (const span of others) span.links = [context];
  return [...waits, ...spans, ...transactionSpans(record, context, owner.role, owner, others)];
}
