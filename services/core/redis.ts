import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { BadConfig } from './config.ts';

/**
 * A client that fails fast: nothing is queued while the connection is down and nothing is sent twice, so that a command
 * either reached the Redis of that connection or is known not to have been answered.
 */
export function openRedis(
  url: string,
  name: string,
  logger: Logger,
  options: { commandTimeout?: number; autoPipelining?: boolean } = {},
): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
    commandTimeout: options.commandTimeout ?? 3_000,
    // A connection that broke without either side being told is dropped when an answer stays away for so long.
    socketTimeout: options.commandTimeout ? 10 * options.commandTimeout : 3_000,
    // Commands of one turn of the event loop share a write: the system call costs more than the command.
    enableAutoPipelining: options.autoPipelining ?? true,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    lazyConnect: true,
  });
  // Said once until it changes: while Redis is away every attempt to connect fails alike.
  let told = '';
  redis.on('ready', () => {
    told = '';
  });
  redis.on('error', (error: Error) => {
    if (error.message !== told) logger.warn({ err: error, client: name }, 'Redis is out of reach');
    told = error.message;
  });
  return redis;
}

/**
 * Waits for the first attempt to connect. A Redis that is away is tried again in the background, like one that goes away
 * later; one that does not take the password would be tried for ever.
 * @throws BadConfig
 */
export async function connectFirst(redis: Redis): Promise<void> {
  let refusal: string | undefined;
  const listen = ({ message }: Error) => {
    if (/\b(WRONGPASS|NOAUTH)\b/.test(message)) refusal = message;
  };
  redis.on('error', listen);
  await redis.connect().catch(() => {});
  redis.off('error', listen);
  if (refusal !== undefined) throw new BadConfig(`REDIS_URL: Redis does not take its user and password (${refusal})`);
}
