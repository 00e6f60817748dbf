import { KafkaJSNonRetriableError } from 'kafkajs';
import { pino } from 'pino';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually } from '../../loadtests/test/stack.ts';
import { consume, untilDone } from './consume.ts';
import type { Running } from './lifecycle.ts';

let own: OwnStack;
let running: Running | undefined;
beforeAll(async () => {
  own = await ownStack('consume', { schema: false, topics: true });
}, 60_000);
afterEach(() => running?.stop());
afterAll(() => own.remove(), 60_000);

const logger = pino({ level: 'silent' });

async function send(value: string): Promise<void> {
  const producer = own.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic: own.names.couponTopic, acks: -1, messages: [{ value }] });
  await producer.disconnect();
}

/** Consumes, failing the first batches in the way of a broker's error that kafkajs takes to be final. */
async function consuming(failures: number) {
  let failed = 0;
  const seen: string[] = [];
  running = await consume({
    kafka: own.kafka,
    logger,
    groupId: own.names.consumerGroup,
    topic: own.names.couponTopic,
    async eachBatch(payload) {
      if (failed < failures) {
        failed++;
        throw new KafkaJSNonRetriableError('not authorized');
      }
      await untilDone(payload, logger, async () => {
        seen.push(...payload.batch.messages.map(({ value }) => String(value)));
      });
    },
  });
  return { seen, failed: () => failed };
}

describe('a consumer that kafkajs has given up on', () => {
  it('is started again, as often as that happens, and goes on where it was', async () => {
    await send('first');
    const { seen, failed } = await consuming(2);
    await eventually(
      async () => seen,
      (values) => values.includes('first'),
      25_000,
    );
    expect(failed()).toBe(2);
    await send('second');
    await eventually(
      async () => seen,
      (values) => values.length === 2,
    );
    expect(seen).toEqual(['first', 'second']);
  }, 60_000);
});
