import type { Redis } from 'ioredis';
import type { Consumer, Kafka, KafkaMessage, TopicPartitionOffset } from 'kafkajs';
import type { Logger } from 'pino';
import { z } from 'zod';
import { consume, untilDone } from '../core/consume.ts';
import { crashPoint } from '../core/crash-point.ts';
import type { Running } from '../core/lifecycle.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import { epochOf } from '../core/tracing/clock.ts';
import { consumerSpans } from '../core/tracing/message-spans.ts';
import { recordedContext } from '../core/tracing/trace-context.ts';
import type { Tracer } from '../core/tracing/tracer.ts';

/** The part of a placed order that the ranking needs. */
const sale = z.object({
  createdAt: z.iso.datetime(),
  // Redis's reader of JSON takes no half of a surrogate pair.
  items: z.array(z.object({ productId: z.string().refine((id) => id.isWellFormed()), quantity: z.int().min(1) })),
});

/** Days are kept as long as the ranking can be asked for, and a little more. Seconds. */
const DAY_LIFE = 35 * 24 * 3600;

/** Events that one bitmap tells of: 128 KiB. */
const CHUNK = 2 ** 20;

/**
 * Adds a batch's sales to the days' rankings and moves the partition's position, atomically, if the position still is
 * where the batch was prepared. A relay that was killed sends an event again as a new message: one whose bit is set was
 * counted. A product that many bought is added to once. ARGV: partition, position before, position after, life, and in JSON
 * for each event: index of its bitmap (0: it has no id), bit, index of its day, and (product, quantity)…
 */
const COUNT = `
local position = redis.call('HGET', KEYS[1], ARGV[1]) or '-1'
if position ~= ARGV[2] then return position end
local days = {}
for _, event in ipairs(cjson.decode(ARGV[5])) do
  local bitmap, day = event[1], KEYS[event[3]]
  if bitmap == 0 or redis.call('SETBIT', KEYS[bitmap], event[2], 1) == 0 then
    local sold = days[day] or {}
    days[day] = sold
    for item = 4, #event, 2 do sold[event[item]] = (sold[event[item]] or 0) + event[item + 1] end
  end
end
for day, sold in pairs(days) do
  for product, quantity in pairs(sold) do redis.call('ZINCRBY', day, quantity, product) end
end
for i = 2, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[4]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return ARGV[3]
`;

type Counting = Redis & { countSales(keys: number, ...args: (string | number)[]): Promise<string> };

/**
 * Keeps the ranking of products by quantity sold per day. Its position in the topic and a bit for each event live in
 * Redis beside the ranking and move with it, so a batch counts once however often it is delivered and an event however
 * often it was sent, and a Redis that lost its data is filled again from the beginning of the topic.
 */
export async function startRanking(deps: {
  kafka: Kafka;
  redis: Redis;
  names: Names;
  metrics: Metrics;
  logger: Logger;
  tracer?: Tracer | undefined;
}): Promise<Running> {
  const { kafka, names, metrics, logger, tracer } = deps;
  deps.redis.defineCommand('countSales', { lua: COUNT });
  const redis = deps.redis as Counting;
  const position = async (partition: number) =>
    Number((await redis.hget(names.rankingOffsets, String(partition))) ?? -1);
  // So that the first one is an increase, and stays one when this process is gone.
  metrics.deadLetters.inc({ topic: names.orderTopic }, 0);
  let consumer: Consumer | undefined;
  /** `partition position offset` that a seek led to: what lies between the two is no longer in the topic. */
  const gaps = new Set<string>();

  return consume({
    kafka,
    logger,
    groupId: names.projectionGroup,
    topic: names.orderTopic,
    async onAssigned(joined, partitions) {
      consumer = joined;
      const from: TopicPartitionOffset[] = [];
      for (const partition of partitions)
        from.push({ topic: names.orderTopic, partition, offset: String((await position(partition)) + 1) });
      for (const one of from) joined.seek(one);
      // What was counted and not committed, because a rebalance came between, would be told as lag until the next order.
      const counted = from.filter(({ offset }) => offset !== '0');
      if (counted.length > 0) await joined.commitOffsets(counted);
    },
    async eachBatch(payload) {
      const { partition, messages } = payload.batch;
      const read = performance.now();
      const first = Number(messages[0]?.offset ?? 0);
      const counted = await position(partition);
      const gap = `${partition} ${counted} ${first}`;
      if (counted + 1 < first && !gaps.has(gap)) {
        // Redis knows less than was counted before: its data was lost. Count again from where it stands.
        gaps.add(gap);
        consumer?.seek({ topic: names.orderTopic, partition, offset: String(counted + 1) });
        return;
      }
      await untilDone(payload, logger, async () => {
        const at = await position(partition);
        await count(
          redis,
          names,
          partition,
          at,
          messages.filter(({ offset }) => Number(offset) > at),
          (message) => {
            metrics.deadLetters.inc({ topic: names.orderTopic });
            logger.error({ partition, offset: message.offset }, 'unreadable order event passed over');
          },
        );
        metrics.consumed.inc({ group: names.projectionGroup }, messages.length);
        if (tracer) traceCounted(tracer, names, partition, messages, read);
      });
    },
  });
}

function traceCounted(tracer: Tracer, names: Names, partition: number, messages: KafkaMessage[], read: number): void {
  const spans = messages.flatMap(({ headers, offset, timestamp, key }) => {
    const parent = recordedContext(headers?.traceparent);
    if (!parent) return [];
    const message = {
      role: 'projections' as const,
      topic: names.orderTopic,
      group: names.projectionGroup,
      parent,
      partition,
      offset,
      sent: Number(timestamp),
      read: epochOf(read),
      done: epochOf(performance.now()),
      attributes: { 'onrush.order_id': key?.toString() ?? '' },
    };
    return [message];
  });
  if (spans.length > 0) tracer.write(consumerSpans(spans, undefined));
}

async function count(
  redis: Counting,
  names: Names,
  partition: number,
  at: number,
  messages: KafkaMessage[],
  onUnreadable: (message: KafkaMessage) => void,
): Promise<void> {
  const last = messages.at(-1);
  if (!last) return;
  const keys = [names.rankingOffsets];
  const indexOf = (key: string) => {
    if (!keys.includes(key)) keys.push(key);
    return keys.indexOf(key) + 1;
  };
  const events: (string | number)[][] = [];
  for (const message of messages) {
    const event = readSale(message);
    if (!event) {
      onUnreadable(message);
      continue;
    }
    const id = idOf(message);
    events.push([
      id === undefined ? 0 : indexOf(names.rankingCounted(Math.floor(id / CHUNK))),
      (id ?? 0) % CHUNK,
      indexOf(names.rankingDay(event.createdAt.slice(0, 10))),
      ...event.items.flatMap(({ productId, quantity }) => [productId, quantity]),
    ]);
  }
  const reached = await redis.countSales(
    keys.length,
    ...keys,
    partition,
    at,
    last.offset,
    DAY_LIFE,
    JSON.stringify(events),
  );
  if (reached !== last.offset)
    throw new Error(`the ranking of partition ${partition} moved from ${at} to ${reached} meanwhile`);
  crashPoint('ranking:counted');
}

/** The event's number in the outbox. Events from before it was told have none. */
function idOf({ headers }: KafkaMessage): number | undefined {
  const text = headers?.id?.toString() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function readSale(message: KafkaMessage) {
  try {
    return sale.safeParse(JSON.parse(message.value?.toString() ?? '')).data;
  } catch {
    return undefined;
  }
}
