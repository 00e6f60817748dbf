import { parseArgs } from 'node:util';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { parseConfig } from '../core/config.ts';
import { openKafka } from '../core/kafka.ts';
import { namesOf } from '../core/names.ts';
import { BadOption, parsed } from '../core/options.ts';
import { runAsProgram } from '../core/program.ts';
import { table } from './table.ts';

const USAGE = `npm run dead-letters [-- --limit 100 --json]
  Lists the coupon messages that could not be read, the oldest first: where each came from, why, and what it was.
  --json     one message a line, with its whole value
KAFKA_BROKERS and the other settings of the environment. Exit code: 0, or 2 where an option is wrong or Kafka is away.`;

export interface DeadLetter {
  /** Its place in the dead letter topic. */
  offset: string;
  /** When it was moved there. */
  at: string;
  /** Where it had been: topic/partition/offset. */
  from: string;
  reason: string;
  key: string | null;
  value: string | null;
}

/** @throws BadOption whose message names the option and what was expected */
export function parseDeadLetterOptions(args: string[]): { limit: number; json: boolean } | 'help' {
  const { values: given } = parsed(() =>
    parseArgs({
      args,
      options: { limit: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
    }),
  );
  if (given.help) return 'help';
  const { limit = '100', json = false } = given;
  if (!/^[1-9]\d{0,5}$/.test(limit))
    throw new BadOption(`--limit "${limit}": expected a whole number from 1 to 999999`);
  return { limit: Number(limit), json };
}

const PATIENCE = 30_000;

/** How many there are, and the oldest of them. @throws an Error that names the topic if it is missing or does not answer */
export async function deadLetters(
  kafka: Kafka,
  topic: string,
  limit: number,
): Promise<{ count: number; letters: DeadLetter[] }> {
  const admin = kafka.admin();
  await admin.connect();
  // A group of our own, for this call: kafkajs reads through groups only.
  const groupId = `${topic}.list-${process.pid}-${Date.now()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  try {
    if (!(await admin.listTopics()).includes(topic))
      throw new Error(`the topic ${topic} is missing; npm run migrate creates it`);
    const full = (await admin.fetchTopicOffsets(topic)).filter(({ high, low }) => high !== low);
    const count = full.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    const letters: DeadLetter[] = [];
    if (count === 0) return { count, letters };
    const unread = new Map(full.map(({ partition, high }) => [partition, BigInt(high) - 1n]));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the topic ${topic} did not answer in time`)), PATIENCE);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      consumer
        .run({
          autoCommit: false,
          async eachMessage({ partition, message }) {
            if (letters.length < limit) letters.push(letterOf(message));
            const last = unread.get(partition);
            if (last !== undefined && BigInt(message.offset) >= last) unread.delete(partition);
            if (letters.length === limit || unread.size === 0) done();
          },
        })
        .catch(reject);
    });
    return { count, letters };
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  }
}

function letterOf({ offset, timestamp, key, value, headers }: KafkaMessage): DeadLetter {
  const header = (name: string) => headers?.[name]?.toString() ?? '?';
  return {
    offset,
    at: new Date(Number(timestamp)).toISOString(),
    from: `${header('topic')}/${header('partition')}/${header('offset')}`,
    reason: header('reason'),
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
  };
}

/** Characters of a value that a line of the list shows. */
const SHOWN = 80;

runAsProgram('services/admin/dead-letters.ts', async () => {
  const wanted = parseDeadLetterOptions(process.argv.slice(2));
  if (wanted === 'help') {
    console.log(USAGE);
    return;
  }
  const config = parseConfig(process.env);
  const kafka = openKafka(config, 'dead-letters');
  const topic = namesOf(config.namespace).couponDeadTopic;
  const { count, letters } = await deadLetters(kafka, topic, wanted.limit).catch((error: Error) => {
    if (!error.name.startsWith('KafkaJS')) throw error;
    throw new Error(`Kafka at ${config.kafkaBrokers.join(',')} is out of reach (${error.message})`);
  });
  if (wanted.json) {
    for (const letter of letters) console.log(JSON.stringify(letter));
    return;
  }
  if (letters.length > 0) console.log(tableOf(letters));
  console.log(`${count} dead letters in ${topic}; shown: ${letters.length}`);
});

const tableOf = (letters: DeadLetter[]): string =>
  table(
    ['offset', 'moved at', 'from', 'reason', 'key', 'value'],
    letters.map(({ offset, at, from, reason, key, value }) => [
      offset,
      at,
      from,
      reason,
      key ?? '(none)',
      value === null ? '(none)' : value.slice(0, SHOWN),
    ]),
  );
