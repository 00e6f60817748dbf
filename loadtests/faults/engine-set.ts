import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { inState } from '../../engines/directory.ts';
import { type EngineName, endpointVariables, engineNames, labels } from '../../engines/engines.ts';
import { readIfThere, writePrivate } from '../../engines/files.ts';
import { startTime } from '../../engines/native/daemon.ts';
import { port } from '../../engines/ports.ts';
import { FaultFailure } from './failure.ts';

/** Engines of the fault runs' own, which nobody else uses: they are killed and stopped. */
export interface EngineSet {
  databaseUrl: string;
  redisUrl: string;
  kafkaBrokers: string;
  /** Where each engine takes the connections that come through a proxy. */
  ports: Record<EngineName, number>;
  /** Where the proxies must listen; Kafka's is told to its clients. */
  proxyPorts: Record<EngineName, number>;
  /** A port for one more Redis. */
  replicaPort: number;
  /** SIGKILL, and waits until the process is gone. */
  kill(name: EngineName): Promise<void>;
  /** Resolves when the engine answers again. One that runs is left alone. */
  restart(name: EngineName): Promise<void>;
  /** SIGSTOP: its connections stay, its kernel goes on taking new ones, nothing answers. */
  pause(name: EngineName): Promise<void>;
  resume(name: EngineName): Promise<void>;
  stop(): Promise<void>;
}

/** Ports of the second set lie so much above the first one's. */
const APART = 50;

/** Starts the set under .onrush/faults; engines that an earlier run has left there are stopped first. */
export async function startEngineSet(): Promise<EngineSet> {
  const directory = inState('faults');
  mkdirSync(directory, { recursive: true });
  await claim(join(directory, 'owner'));
  shareJars(directory);
  const of = (variable: Parameters<typeof port>[0], more = 0) => port(variable) + APART + more;
  const ports = { mysql: of('ONRUSH_MYSQL_PORT'), redis: of('ONRUSH_REDIS_PORT'), kafka: of('ONRUSH_KAFKA_PORT', 2) };
  const proxyPorts = { mysql: ports.mysql + 10, redis: ports.redis + 10, kafka: ports.kafka + 10 };
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ONRUSH_DIR: directory,
    ENGINES: 'native',
    ONRUSH_MYSQL_PORT: String(ports.mysql),
    ONRUSH_REDIS_PORT: String(ports.redis),
    ONRUSH_KAFKA_PORT: String(of('ONRUSH_KAFKA_PORT')),
    ONRUSH_KAFKA_CONTROLLER_PORT: String(of('ONRUSH_KAFKA_CONTROLLER_PORT')),
    ONRUSH_KAFKA_PROXIED: `${ports.kafka}:${proxyPorts.kafka}`,
  };
  for (const name of engineNames) delete env[endpointVariables[name]];

  const stop = async () => {
    // A paused process would not hear that it is to stop.
    for (const name of engineNames) await signal(directory, name, 'SIGCONT').catch(() => {});
    await engineProgram('down.ts', env);
  };
  await stop();
  try {
    await engineProgram('up.ts', env);
  } catch (error) {
    // Those that did start, nobody else would stop.
    await stop().catch(() => {});
    throw error;
  }
  const endpoints = parseEnv(readIfThere(join(directory, 'engines.env')) ?? '');

  return {
    databaseUrl: endpoints.DATABASE_URL as string,
    redisUrl: endpoints.REDIS_URL as string,
    kafkaBrokers: endpoints.KAFKA_BROKERS as string,
    ports,
    proxyPorts,
    replicaPort: ports.redis + 1,
    async kill(name) {
      const pid = await signal(directory, name, 'SIGKILL');
      while ((await startTime(pid)) !== undefined) await new Promise((wake) => setTimeout(wake, 10));
    },
    async restart(name) {
      const runs = await signal(directory, name, 0).catch(() => undefined);
      if (runs === undefined) await engineProgram('restart.ts', env, name);
    },
    async pause(name) {
      await signal(directory, name, 'SIGSTOP');
    },
    async resume(name) {
      await signal(directory, name, 'SIGCONT');
    },
    stop,
  };
}

/** One fault run at a time has the set. The file of a run that is gone is taken over. */
async function claim(owner: string): Promise<void> {
  const [pid, started] = readIfThere(owner)?.split(/ (.*)/s) ?? [];
  if (pid && Number(pid) !== process.pid && started && (await startTime(Number(pid))) === started)
    throw new FaultFailure(`another fault run (pid ${pid}) has the engines of .onrush/faults`);
  writePrivate(owner, `${process.pid} ${await startTime(process.pid)}`);
}

/** The broker's 43 MB of jars are no state: the first set's do where it has them. */
function shareJars(directory: string): void {
  const jars = resolve(inState('kafka', 'libs'));
  const shared = join(directory, 'kafka', 'libs');
  if (!existsSync(jars) || existsSync(shared)) return;
  mkdirSync(join(directory, 'kafka'), { recursive: true });
  symlinkSync(jars, shared);
}

/** A pid that another program has by now is not ours: its start time tells. */
async function signal(directory: string, name: EngineName, what: NodeJS.Signals | 0): Promise<number> {
  const [pid, started] =
    readIfThere(join(directory, 'run', `${name}.pid`))
      ?.trim()
      .split(/\s+(.*)/s) ?? [];
  if (!pid || !started || (await startTime(Number(pid))) !== started)
    throw new FaultFailure(`${labels[name]} of the fault runs is not running`);
  process.kill(Number(pid), what);
  return Number(pid);
}

/** Programs of engines/ find their directory in the environment, so another directory needs another process. */
async function engineProgram(program: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `engines/${program}`, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C on the terminal reaches the fault run, which then stops all engines: one that is starting is to be known to it.
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      said += data;
    });
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  if (code !== 0) throw new FaultFailure(`engines/${program} ${args.join(' ')} failed:\n${said.trimEnd()}`);
}
