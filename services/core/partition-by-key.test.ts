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

it('refuses a message without a key', () => {
  const args = { topic, partitionMetadata: metadata(3), message: { value: null } as Message };
  expect(() => partitionByKey()(args)).toThrow('a message without a key has no partition');
});
