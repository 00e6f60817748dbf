import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { inState } from '../../engines/directory.ts';
import { writePrivate } from '../../engines/files.ts';
import { installRedis } from '../../engines/native/redis.ts';
import type { EngineSet } from './engine-set.ts';
import { FaultFailure } from './failure.ts';
import { openProxy } from './proxy.ts';

/** A second Redis that follows the first one, until its link is cut and it is made the primary. */
export interface Replica {
  url: string;
  port: number;
  /** From now on it hears of no write any more. */
  cutOff(): void;
  /** What REPLICAOF NO ONE does: it goes on with what it has. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

const FOLLOWS_WITHIN = 20_000;

export async function startReplica({ redisUrl, ports, replicaPort }: EngineSet): Promise<Replica> {
  const { password } = new URL(redisUrl);
  const link = await openProxy(ports.redis);
  const directory = inState('faults', 'redis-replica');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const configuration = inState('faults', 'run', 'redis-replica.conf');
  const settings = [
    'bind 127.0.0.1',
    `port ${replicaPort}`,
    `requirepass ${password}`,
    `masterauth ${password}`,
    `replicaof 127.0.0.1 ${link.port}`,
    `dir ${JSON.stringify(directory)}`,
    `logfile ${JSON.stringify(inState('faults', 'log', 'redis-replica.log'))}`,
    'appendonly yes',
    'appendfsync always',
    'save ""',
    'maxmemory-policy noeviction',
  ];
  writePrivate(configuration, `${settings.join('\n')}\n`);
  const child = spawn(await installRedis(), [configuration], { stdio: 'ignore' });
  const url = Object.assign(new URL(redisUrl), { port: String(replicaPort) }).toString();
  const redis = new Redis(url, { retryStrategy: () => 100 });
  redis.on('error', () => {});
  try {
    await untilFollowing(redis, child);
  } catch (error) {
    redis.disconnect();
    child.kill('SIGKILL');
    await link.close();
    throw error;
  }
  return {
    url,
    port: replicaPort,
    cutOff: () => link.blackHole(),
    async promote() {
      await redis.replicaof('NO', 'ONE');
    },
    async stop() {
      redis.disconnect();
      const gone = new Promise((done) => child.once('exit', done));
      if (child.exitCode === null && child.kill()) await gone;
      await link.close();
    },
  };
}

async function untilFollowing(redis: Redis, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + FOLLOWS_WITHIN; ; await sleep(100)) {
    if (child.exitCode !== null) throw new FaultFailure('the replica ended: see .onrush/faults/log/redis-replica.log');
    const info = await redis.info('replication').catch(() => '');
    if (info.includes('master_link_status:up')) return;
    if (Date.now() > until) throw new FaultFailure(`the replica did not follow within ${FOLLOWS_WITHIN / 1_000} s`);
  }
}
