import { Redis } from 'ioredis';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { namesOf } from '../../services/core/names.ts';

/** How the stack stood at one moment, read past the proxies; undefined where the engine did not tell. */
export interface Sample {
  /** Milliseconds since the load began. */
  at: number;
  /** The gate admits: it is there and of the Redis that runs now. */
  gateOpen: boolean | undefined;
  /** Promises that are no coupon yet. */
  promises: number | undefined;
  /** Events that are not in Kafka yet. */
  events: number | undefined;
}

/** What is looked at. */
export interface Sampled {
  databaseUrl: string;
  namespace: string;
  couponId: string;
}

export interface Sampler {
  samples: Sample[];
  stop(): Promise<void>;
}

const ANSWER = 700;

/** Looks once a second. `redisUrl` is asked each time: after a failover it is another one. */
export function startSampler(
  what: Sampled,
  redisUrl: () => string,
  now: () => number,
  onSample: (sample: Sample) => void,
): Sampler {
  const samples: Sample[] = [];
  const look = async () => {
    const at = now();
    const [redis, mysql] = await Promise.all([fromRedis(what, redisUrl()), fromMysql(what)]);
    const sample = {
      at,
      gateOpen: redis?.gateOpen,
      promises: redis && mysql && Math.max(0, redis.promised - mysql.issued),
      events: mysql?.events,
    };
    samples.push(sample);
    onSample(sample);
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = look();
  }, 1_000);
  return {
    samples,
    async stop() {
      clearInterval(timer);
      await looking;
      await look();
    },
  };
}

async function fromRedis({ namespace, couponId }: Sampled, url: string) {
  const names = namesOf(namespace);
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER,
    commandTimeout: ANSWER,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const [instance, promised, info] = await Promise.all([
      redis.hget(names.gate(couponId), 'instance'),
      redis.hlen(names.admitted(couponId)),
      redis.info('server'),
    ]);
    return { gateOpen: instance !== null && info.includes(`run_id:${instance}`), promised };
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

async function fromMysql({ databaseUrl, couponId }: Sampled) {
  const connection = await createConnection({ uri: databaseUrl, connectTimeout: ANSWER }).catch(() => undefined);
  if (!connection) return undefined;
  connection.on('error', () => {});
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      {
        sql: `SELECT (SELECT COUNT(*) FROM outbox_events WHERE status <> 'PUBLISHED') AS events,
          (SELECT issued_quantity FROM coupons WHERE id = ?) AS issued`,
        timeout: ANSWER,
      },
      [couponId],
    );
    return { events: Number(rows[0]?.events), issued: Number(rows[0]?.issued) };
  } catch {
    return undefined;
  } finally {
    connection.destroy();
  }
}
