import { Redis } from 'ioredis';
import type { Admin } from 'kafkajs';
import mysql, { type Connection } from 'mysql2/promise';
import { maskUrl } from '../../services/core/config.ts';
import { openKafka } from '../../services/core/kafka.ts';

/** An engine did not answer; the message is one line and says which and where. */
export class EngineAway extends Error {
  override name = 'EngineAway';
}

const away = (engine: string, where: string, error: unknown): EngineAway => {
  const { code, message } = error as { code?: string; message?: string };
  const reason = message?.split('\n')[0] || code || String(error);
  return new EngineAway(`${engine} at ${where} is out of reach (${reason}); npm run up starts the engines`, {
    cause: error,
  });
};

/**
 * One connection of its own. Sums arrive as numbers, which is exact below 2^53: whoever computes with them checks that.
 * @throws EngineAway
 */
export async function connectDatabase(databaseUrl: string): Promise<Connection> {
  try {
    return await mysql.createConnection({
      uri: databaseUrl.replace(/^mariadb:/, 'mysql:'),
      timezone: 'Z',
      supportBigNumbers: true,
      decimalNumbers: true,
      connectTimeout: 3_000,
    });
  } catch (error) {
    throw away('MySQL', maskUrl(databaseUrl), error);
  }
}

/** Without reconnecting: these programs run for seconds and must not hang. @throws EngineAway */
export async function connectRedis(redisUrl: string): Promise<Redis> {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: 3_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let last: unknown;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    throw away('Redis', maskUrl(redisUrl), last ?? error);
  }
}

/** @throws EngineAway */
export async function connectKafka(kafkaBrokers: string[], namespace: string): Promise<Admin> {
  const admin = openKafka({ kafkaBrokers, namespace }, 'loadtests').admin();
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw away('Kafka', kafkaBrokers.join(','), error);
  }
}
