import { setTimeout as sleep } from 'node:timers/promises';
import { logFile } from '../directory.ts';
import { type EngineName, labels, type Place, type Reading } from '../engines.ts';
import { EngineFailure, reason } from '../failure.ts';
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

/** Everything before the start, which may install packages: one engine after the other, since apt allows no two. */
export async function prepareNative(name: EngineName): Promise<Daemon> {
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
        throw new EngineFailure(
          `${labels[name]} did not answer within ${answerWithinMs / 1000} s (${reason(error)})`,
          log,
        );
      }
      await sleep(100);
    }
  }
}
