import fc from 'fast-check';
import { type Message, Partitioners } from 'kafkajs';
import { partitionByKey } from './partition-by-key.ts';

const topic = 'any';
const metadata = (partitions: number) =>
  Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));

it('chooses what kafkajs chooses, so that a key stays in its partition whichever program sends it', () => {
  const ours = partitionByKey();
  const theirs = Partitioners.DefaultPartitioner();
  const key = fc.oneof(
    fc.string({ maxLength: 80, unit: 'binary' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 64 }), (key, partitions) => {
      const args = { topic, partitionMetadata: metadata(partitions), message: { key, value: null } };
      return ours(args) === theirs(args);
    }),
    { numRuns: 1_000 },
  );
});

it('leaves a message in the partition that it names, and finds one for a message without a key', () => {
  const of = (message: Message) => partitionByKey()({ topic, partitionMetadata: metadata(3), message });
  expect(of({ key: 'any', value: null, partition: 2 })).toBe(2);
  expect(of({ value: null, partition: 1 })).toBe(1);
  expect([0, 1, 2]).toContain(of({ key: null, value: null }));
  expect([0, 1, 2]).toContain(of({ value: null }));
});
