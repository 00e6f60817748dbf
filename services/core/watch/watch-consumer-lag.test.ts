import { pino } from 'pino';
import { type OwnStack, ownStack } from '../../../loadtests/test/own-stack.ts';
import { eventually } from '../../../loadtests/test/stack.ts';
import type { Running } from '../lifecycle.ts';
import { createMetrics } from '../metrics.ts';
import { watchConsumerLag } from './watch-consumer-lag.ts';

let own: OwnStack;
let watch: Running | undefined;
beforeAll(async () => {
  own = await ownStack('lag', { schema: false, topics: true });
});
afterAll(async () => {
  await watch?.stop();
  await own?.remove();
});

it('the lag of a group is what lies in the topic beyond its committed offset, per partition', async () => {
  const { kafka, names } = own;
  const metrics = createMetrics();
  watch = watchConsumerLag({ kafka, names, metrics, logger: pino({ level: 'silent' }) });
  const lags = async () =>
    (await metrics.consumerLag.get()).values
      .filter(({ labels }) => labels.group === names.consumerGroup && labels.topic === names.couponTopic)
      .sort((a, b) => Number(a.labels.partition) - Number(b.labels.partition))
      .map(({ value }) => value);
  const partitions = own.config.topicPartitions;
  await eventually(lags, (seen) => seen.length === partitions && seen.every((lag) => lag === 0));

  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const messages = Array.from({ length: 7 }, (_, n) => ({ value: String(n), partition: 1 }));
  await producer.send({ topic: names.couponTopic, messages });
  await producer.disconnect();
  const expected = Array.from({ length: partitions }, (_, partition) => (partition === 1 ? 7 : 0));
  await eventually(lags, (seen) => seen.join() === expected.join());

  const admin = kafka.admin();
  await admin.connect();
  await admin.setOffsets({
    groupId: names.consumerGroup,
    topic: names.couponTopic,
    partitions: [{ partition: 1, offset: '5' }],
  });
  await admin.disconnect();
  await eventually(lags, (seen) => seen[1] === 2);
});
