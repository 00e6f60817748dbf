import { setTimeout as sleep } from 'node:timers/promises';
import { logFile } from '../directory.ts';
import { type EngineName, labels, type Place, type Reading } from '../engines.ts';
import { EngineFailure } from '../failure.ts';
import { assertFree, type PortVariable } from '../ports.ts';
import { readEngine } from '../running/read.ts';
import { type Daemon, runningPid, startDaemon } from './daemon.ts';
import { prepareKafka } from './kafka.ts';
import { prepareMysql } from './mysql.ts';
import { prepareRedis } from './redis.ts';

const preparations: Record<EngineName, () => Promise<Daemon>> = {
  mysql: prepareMysql,
  redis: prepareRedis,
  kafka: prepareKafka,
};

const ports: Record<EngineName, PortVariable[]> = {
  mysql: ['ONRUSH_MYSQL_PORT'],
  redis: ['ONRUSH_REDIS_PORT'],
  kafka: ['ONRUSH_KAFKA_PORT', 'ONRUSH_KAFKA_CONTROLLER_PORT'],
};

/** Everything before the start, which may install packages; one engine after the other, since apt allows no two. */
export async function prepareNative(name: EngineName): Promise<Daemon> {
  for (const variable of ports[name]) await assertFree(variable, labels[name]);
  return await preparations[name]();
}

const answerWithinMs = 60_000;

/** Starts the server, or waits for one an interrupted `up` has started, until it answers a query. */
export async function startNative(name: EngineName, place: Place, daemon: Daemon | undefined): Promise<Reading> {
  const started = daemon && (await startDaemon(name, daemon));
  const log = started?.log ?? { path: logFile(name), from: 0 };
  const deadline = Date.now() + answerWithinMs;
  for (;;) {
    try {
      return await readEngine(name, place);
    } catch (error) {
      if (started ? started.stopped() : (await runningPid(name)) === undefined) {
        throw new EngineFailure(`${labels[name]} stopped while starting`, log);
      }
      if (Date.now() > deadline) {
        const why = error instanceof Error ? error.message : String(error);
        throw new EngineFailure(`${labels[name]} did not answer within ${answerWithinMs / 1000} s (${why})`, log);
      }
      await sleep(100);
    }
  }
}
