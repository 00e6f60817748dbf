import './kafka-idle.ts';
import { type Socket, connect as tcp } from 'node:net';
import { connect as tls } from 'node:tls';
import {
  type Admin,
  type AdminConfig,
  type Consumer,
  type ConsumerConfig,
  type ISocketFactoryArgs,
  Kafka,
  type KafkaConfig,
  logLevel,
  type Producer,
  type ProducerConfig,
} from 'kafkajs';
import type { Config } from './config.ts';
import { namesOf } from './names.ts';
import { partitionByKey } from './partition-by-key.ts';

type KafkaSettings = Pick<Config, 'kafkaBrokers' | 'namespace' | 'topicPartitions' | 'topicReplicas'>;

/** A produce request waits up to 5 s for the replicas, and a fetch 250 ms for messages. Milliseconds. */
const ANSWER = 6_000;

/**
 * A client with bounded waits: a broker that is away makes a call fail within seconds, and the caller's own loop tries again.
 */
export function openKafka(config: Pick<Config, 'kafkaBrokers' | 'namespace'>, clientId: string): Kafka {
  return new ImpatientKafka({
    clientId: `${config.namespace}-${clientId}`,
    brokers: config.kafkaBrokers,
    connectionTimeout: 3_000,
    requestTimeout: ANSWER,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: logLevel.NOTHING,
  });
}

/**
 * Closes its connections when a request had no answer in time. kafkajs fails the request and keeps the connection: one
 * that broke without either side being told would get every later request too, until TCP gives it up after two hours.
 */
class ImpatientKafka extends Kafka {
  readonly #close: () => void;

  constructor(config: KafkaConfig) {
    const open = new Set<Socket>();
    super({ ...config, socketFactory: (args) => remembered(open, connectTo(args)) });
    this.#close = () => {
      // With an error: kafkajs does not hear of a socket that just closes.
      for (const socket of open) socket.destroy(new Error('a request on this connection had no answer in time'));
    };
  }

  override producer(config?: ProducerConfig): Producer {
    const producer = super.producer({ createPartitioner: partitionByKey, ...config });
    producer.on(producer.events.REQUEST_TIMEOUT, this.#close);
    return producer;
  }

  override consumer(config: ConsumerConfig): Consumer {
    const consumer = super.consumer(config);
    consumer.on(consumer.events.REQUEST_TIMEOUT, this.#close);
    return consumer;
  }

  override admin(config?: AdminConfig): Admin {
    const admin = super.admin(config);
    admin.on(admin.events.REQUEST_TIMEOUT, this.#close);
    return admin;
  }
}

const KEEP_ALIVE = 60_000;

/** As kafkajs connects by itself. */
function connectTo({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
  return (ssl ? tls({ host, port, servername: host, ...ssl }, onConnect) : tcp({ host, port }, onConnect)).setKeepAlive(
    true,
    KEEP_ALIVE,
  );
}

function remembered(open: Set<Socket>, socket: Socket): Socket {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  return socket;
}

/** Creates the topics that are missing and returns their names. Runs with the migrations; brokers never create any by themselves. */
export async function createTopics(config: KafkaSettings): Promise<string[]> {
  const names = namesOf(config.namespace);
  const admin = openKafka(config, 'migration').admin();
  await admin.connect();
  try {
    const present = await admin.listTopics();
    const missing = [names.couponTopic, names.couponDeadTopic, names.orderTopic].filter(
      (topic) => !present.includes(topic),
    );
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({
          topic,
          numPartitions: topic === names.couponDeadTopic ? 1 : config.topicPartitions,
          replicationFactor: config.topicReplicas,
        })),
      });
    }
    return missing;
  } finally {
    await admin.disconnect();
  }
}
