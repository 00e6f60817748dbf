import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { logFile } from '../../engines/directory.ts';
import { findK6 } from '../../engines/k6.ts';
import { type RunEvents, runEvents } from '../../loadtests/bench/run-events.ts';
import { seed } from '../../loadtests/seed/seed.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { freePort, type Started } from '../../loadtests/test/start-services.ts';
import { type Watch, watchDatabase } from '../../loadtests/verify/watch.ts';
import type { Role } from '../../services/core/config.ts';
import { createLogger } from '../../services/core/log.ts';
import { Prometheus } from './prometheus.ts';
import { type Monitoring, startMonitoring } from './start.ts';

/** The program in several processes as in a cluster, watched by a Prometheus of its own. */
export interface ObservedStack {
  own: OwnStack;
  prometheus: Prometheus;
  events: RunEvents;
  /** Of the process with the APIs. */
  url: string;
  processes: Record<string, Started>;
  /** Runs one of the scenarios; resolves when k6 has ended, however it did. */
  load(scenario: string, script: string, env: Record<string, string>): { done: Promise<void>; child: ChildProcess };
  remove(): Promise<void>;
}

export interface ObservedStackOptions {
  /** Whom the load plays; the two after them are a test's own. */
  users: number;
  /** Seconds between two readings and between two looks of the verifier. */
  interval: number;
  rules?: string;
  env?: Record<string, string>;
}

const PROCESSES: Record<string, Role[]> = {
  apis: ['coupon-api', 'balance-api', 'order-api'],
  gatekeeper: ['coupon-gatekeeper'],
  workers: ['coupon-consumer', 'projections'],
  relay: ['outbox-relay'],
};

export async function observedStack(name: string, options: ObservedStackOptions): Promise<ObservedStack> {
  const { users, interval, rules, env = {} } = options;
  const own = await ownStack(name, { topics: true });
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = own.config;
  await seed({ databaseUrl, redisUrl, kafkaBrokers, namespace, users: users + 2 });
  const processes: Record<string, Started> = {};
  for (const [process, roles] of Object.entries(PROCESSES))
    processes[process] = await own.start({ ROLES: roles.join(','), ONRUSH_CART_AFTER_ORDER: 'keep', ...env });
  const verifier: Watch = await watchDatabase({
    judge: { databaseUrl, redisUrl, kafkaBrokers, namespace },
    every: interval,
    host: '127.0.0.1',
    port: 0,
    logger: createLogger({ logLevel: 'error' }),
  });
  const targets = Object.entries(processes).map(([service, { url }]) => ({
    address: new URL(url).host,
    service,
    pod: `${service}-1`,
  }));
  const monitoring: Monitoring = await startMonitoring({
    targets: [...targets, { address: `127.0.0.1:${verifier.port}`, service: 'verifier', pod: 'verifier-1' }],
    databaseUrl,
    redisUrl,
    port: await freePort(),
    exporterPorts: [await freePort(), await freePort()],
    namespace: 'test',
    interval,
    directory: `prometheus-${namespace}`,
    ...(rules ? { rules } : {}),
  });
  const prometheus = new Prometheus(monitoring.url);
  const k6 = await findK6();
  const url = processes.apis?.url ?? '';
  const events = runEvents({ fromHere: monitoring.url, fromK6: monitoring.url }, namespace, () => {});
  const children: ChildProcess[] = [];
  return {
    own,
    prometheus,
    events,
    url,
    processes,
    load(scenario, script, more) {
      const log = openSync(logFile(`k6-${name}-${scenario}`), 'w');
      const child = spawn(k6, ['run', '--quiet', '--no-usage-report', '--address', '', `loadtests/k6/${script}`], {
        stdio: ['ignore', log, log],
        env: { ...process.env, BASE_URL: url, USERS: String(users), ...events.k6Env(scenario), ...more },
      });
      closeSync(log);
      children.push(child);
      const done = new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', () => resolve());
      });
      return { done, child };
    },
    async remove() {
      for (const child of children) child.kill('SIGKILL');
      // A process that a test has stopped could not end.
      for (const { child } of Object.values(processes)) child.kill('SIGCONT');
      await Promise.all([monitoring.stop(), verifier.stop()]);
      await sleep(100);
      await own.remove();
    },
  };
}
