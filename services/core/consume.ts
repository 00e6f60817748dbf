import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { pause, type Running } from './lifecycle.ts';

export interface ConsumeOptions {
  kafka: Kafka;
  logger: Logger;
  groupId: string;
  topic: string;
  partitionsConsumedConcurrently?: number;
  eachBatch(payload: EachBatchPayload): Promise<void>;
  /** Called with the partitions of this member after each rebalance, before the first batch of any. */
  onAssigned?(consumer: Consumer, partitions: number[]): Promise<void>;
}

/** Before a consumer that kafkajs has given up on is started again. Milliseconds. */
const GIVEN_UP = 2_000;

/**
 * A consumer that begins at the first message, commits offsets only when told to, and survives brokers that are away:
 * where kafkajs gives up, it is started again.
 */
export async function consume(options: ConsumeOptions): Promise<Running> {
  const { kafka, logger, groupId, topic, onAssigned } = options;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    rebalanceTimeout: 15_000,
    heartbeatInterval: 1_000,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 10, restartOnFailure: async () => !stopping },
  });
  let stopping = false;
  if (onAssigned) {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      void onAssigned(consumer, payload.memberAssignment[topic] ?? []).catch((error) =>
        logger.warn({ err: error, groupId }, 'positions could not be set'),
      );
    });
  }
  const abort = new AbortController();
  const start = async () => {
    for (let wait = 100; !stopping; wait = Math.min(wait * 2, 2_000)) {
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: options.partitionsConsumedConcurrently ?? 1,
          eachBatch: options.eachBatch,
        });
        return;
      } catch (error) {
        logger.warn({ err: error, groupId }, 'consumer could not start; trying again');
        await pause(wait, abort.signal);
      }
    }
  };
  let started = start();
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    logger.warn({ err: payload.error, groupId, restart: payload.restart }, 'consumer crashed');
    // kafkajs starts again by itself only after errors that it knows to pass. An authorization that was taken away or a
    // broker's UNKNOWN does so too, and a process that consumes nothing would be ready all the same.
    if (payload.restart || stopping) return;
    started = started.then(() => pause(GIVEN_UP, abort.signal)).then(start);
  });
  return {
    name: groupId,
    async stop() {
      stopping = true;
      abort.abort();
      await started;
      await consumer.disconnect();
    },
  };
}

/**
 * Runs `work` on a batch until it succeeds, keeping the membership alive, and then commits the batch's offset. Gives up
 * without committing when the consumer stops or has lost the partition, whose new owner then does the work.
 */
export async function untilDone(payload: EachBatchPayload, logger: Logger, work: () => Promise<void>): Promise<void> {
  const { batch, isRunning, isStale, heartbeat, resolveOffset, commitOffsetsIfNecessary } = payload;
  for (let wait = 50; isRunning() && !isStale(); wait = Math.min(wait * 2, 1_000)) {
    try {
      await work();
      const next = String(BigInt(batch.lastOffset()) + 1n);
      await commitOffsetsIfNecessary({
        topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset: next }] }],
      });
      resolveOffset(batch.lastOffset());
      return;
    } catch (error) {
      logger.warn({ err: error, topic: batch.topic, partition: batch.partition }, 'batch failed; trying again');
      await new Promise((resolve) => setTimeout(resolve, wait));
      await heartbeat();
    }
  }
}
