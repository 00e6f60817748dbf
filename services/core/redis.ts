import { Redis } from 'ioredis';
import type { Logger } from 'pino';

/**
 * A client that fails fast: nothing is queued while the connection is down and nothing is sent twice, so that a command
 * either reached the Redis of that connection or is known not to have been answered.
 */
export function openRedis(url: string, name: string, logger: Logger, options: { commandTimeout?: number } = {}): Redis {
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
    enableAutoPipelining: true,
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
