import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { findProgram, readVersion } from '../command.ts';
import { inState } from '../directory.ts';
import { EngineFailure } from '../failure.ts';
import { writePrivate } from '../files.ts';
import { passwords } from '../passwords.ts';
import { port } from '../ports.ts';
import { aptInstall } from './apt.ts';
import type { Daemon } from './daemon.ts';

/**
 * redis-server as Debian packages it starts a system service. Its redis-tools has the same program without one:
 * redis-check-rdb is the server, which acts by the name it is called under.
 */
export async function installRedis(): Promise<string> {
  const onPath = findProgram('redis-server', 'valkey-server');
  if (onPath) return onPath;
  if (!findProgram('redis-check-rdb')) {
    await aptInstall(['redis-tools'], 'Redis, as programs only, without a system service');
  }
  const server = findProgram('redis-check-rdb');
  if (!server)
    throw new EngineFailure('redis-tools brought no redis-check-rdb; install a redis-server or valkey-server');
  const named = inState('bin', 'redis-server');
  mkdirSync(dirname(named), { recursive: true });
  rmSync(named, { force: true });
  symlinkSync(server, named);
  if ((await readVersion(named, '--version')).length === 0) {
    throw new EngineFailure(`${server} is not the Redis server here; install a redis-server or valkey-server`);
  }
  return named;
}

/** Durable as in production: a write is answered after it is on disk, and nothing is evicted to make room. */
function settings(): string[] {
  return [
    'bind 127.0.0.1',
    `port ${port('ONRUSH_REDIS_PORT')}`,
    `requirepass ${passwords().redis}`,
    `dir ${JSON.stringify(inState('redis'))}`,
    'databases 16',
    'appendonly yes',
    'appendfsync always',
    // A rewrite takes a core for a second; from the default of 64 MB a coupon sale at its limit brings one each 11 to 30 seconds.
    'auto-aof-rewrite-min-size 512mb',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
}

export async function prepareRedis(): Promise<Daemon> {
  const server = await installRedis();
  mkdirSync(inState('redis'), { recursive: true, mode: 0o700 });
  const configuration = inState('run', 'redis.conf');
  writePrivate(configuration, `${settings().join('\n')}\n`);
  return { command: server, args: [configuration] };
}
