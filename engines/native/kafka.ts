import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { ask, atLeast, findProgram, runLogged } from '../command.ts';
import { inState } from '../directory.ts';
import { EngineFailure } from '../failure.ts';
import { readIfThere, writePrivate } from '../files.ts';
import { port } from '../ports.ts';
import { say } from '../say.ts';
import { aptInstall } from './apt.ts';
import type { Daemon } from './daemon.ts';

const oldestJava = [17];

async function installedJava(): Promise<string | undefined> {
  const machines = existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => `/usr/lib/jvm/${name}`) : [];
  const candidates = [
    ...(process.env.JAVA_HOME ? [join(process.env.JAVA_HOME, 'bin/java')] : []),
    findProgram('java'),
    ...machines.map((directory) => join(directory, 'bin/java')),
  ];
  for (const java of candidates) {
    if (!java || !existsSync(java)) continue;
    const { ok, output } = await ask(java, ['-version']);
    const version = /version "(\d+)/.exec(output)?.[1];
    if (ok && version && atLeast([Number(version)], oldestJava)) return java;
  }
  return undefined;
}

async function install(): Promise<string> {
  const before = await installedJava();
  if (before) return before;
  await aptInstall(['default-jre-headless'], 'Java 17 or newer, which runs Kafka');
  const after = await installedJava();
  if (!after)
    throw new EngineFailure('Kafka needs Java 17 or newer, and apt brought an older one: install a newer one');
  return after;
}

const pom = resolve('engines/kafka/pom.xml');
const libs = () => inState('kafka', 'libs');
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies';

/** Copies the jars pom.xml names to the state directory, once for each content of pom.xml. */
async function copyJars(): Promise<void> {
  const wanted = createHash('sha256').update(readFileSync(pom)).digest('hex');
  const mark = 'of-pom';
  if (readIfThere(join(libs(), mark)) === wanted) return;
  if (!findProgram('mvn')) await aptInstall(['maven'], 'fetches the jars of Kafka from Maven Central');
  const maven = findProgram('mvn') ?? 'mvn';
  const unfinished = 'unfinished-';
  for (const name of readdirSync(inState('kafka'))) {
    if (name.startsWith(unfinished)) rmSync(inState('kafka', name), { recursive: true, force: true });
  }
  const fresh = mkdtempSync(inState('kafka', unfinished));
  say('mvn: copying the jars of Kafka from Maven Central, once (43 MB)');
  await runLogged(
    'maven',
    maven,
    ['-q', '-B', '-f', pom, copyDependencies, `-DoutputDirectory=${fresh}`, '-DincludeScope=runtime'],
    'mvn could not fetch the jars of Kafka',
  );
  writeFileSync(join(fresh, mark), wanted);
  rmSync(libs(), { recursive: true, force: true });
  renameSync(fresh, libs());
}

/** The version of the broker's jar; Kafka's protocol does not tell it. */
export function kafkaJarVersion(): string | undefined {
  if (!existsSync(libs())) return undefined;
  const jar = readdirSync(libs()).find((name) => name.startsWith('kafka_2.13-'));
  return jar?.replace(/^kafka_2\.13-(.*)\.jar$/, '$1');
}

/**
 * Brokers tell clients where to connect, so a client can only be led through a proxy by a listener of its own, which
 * listens at the first port of ONRUSH_KAFKA_PROXIED=29094:29095 and tells its clients the second, the proxy's.
 */
function proxiedListener(): { listens: string; told: string } | undefined {
  const ports = process.env.ONRUSH_KAFKA_PROXIED;
  if (!ports) return undefined;
  const [, listens, told] = /^(\d+):(\d+)$/.exec(ports) ?? [];
  if (!listens || !told) throw new EngineFailure(`ONRUSH_KAFKA_PROXIED=${ports}: expected two ports, 29094:29095`);
  return { listens: `127.0.0.1:${listens}`, told: `127.0.0.1:${told}` };
}

/** One process, broker and controller: everything has a single replica, so nothing waits for a second one. */
function settings(): string[] {
  const broker = `127.0.0.1:${port('ONRUSH_KAFKA_PORT')}`;
  const controller = `127.0.0.1:${port('ONRUSH_KAFKA_CONTROLLER_PORT')}`;
  const proxied = proxiedListener();
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${controller}`,
    'controller.listener.names=CONTROLLER',
    `listeners=PLAINTEXT://${broker},CONTROLLER://${controller}${proxied ? `,PROXIED://${proxied.listens}` : ''}`,
    `advertised.listeners=PLAINTEXT://${broker}${proxied ? `,PROXIED://${proxied.told}` : ''}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${inState('kafka', 'data')}`,
    'num.partitions=3',
    'auto.create.topics.enable=false',
    'default.replication.factor=1',
    'min.insync.replicas=1',
    // Few partitions for the broker's own topics: it opens each of them at every start.
    'offsets.topic.num.partitions=4',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.num.partitions=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    // A group's first consumer gets its partitions at once instead of after 3 s.
    'group.initial.rebalance.delay.ms=0',
    'log.retention.hours=24',
    'log.segment.bytes=134217728',
  ];
}

/** -Xmx512m is twice what a load run was seen to keep; the heap stays small beside two busy cores. */
const jvm = ['-Xmx512m', '-Xms256m', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:+ExitOnOutOfMemoryError'];

/** Gives the data directory its cluster id, once. */
async function format(java: string, configuration: string): Promise<void> {
  const done = inState('kafka', 'formatted');
  if (existsSync(done)) return;
  const classpath = ['-cp', `${libs()}/*`, `-Dlog4j2.configurationFile=${resolve('engines/kafka/log4j2.properties')}`];
  const id = `A${randomBytes(16).toString('base64url').slice(1)}`;
  await runLogged(
    'kafka',
    java,
    [
      '-Xmx128m',
      ...classpath,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      id,
      '-c',
      configuration,
      '--ignore-formatted',
    ],
    'Kafka: its data directory could not be made',
  );
  writeFileSync(done, '');
}

export async function prepareKafka(): Promise<Daemon> {
  const java = await install();
  mkdirSync(inState('kafka'), { recursive: true, mode: 0o700 });
  await copyJars();
  const configuration = inState('run', 'kafka.properties');
  writePrivate(configuration, `${settings().join('\n')}\n`);
  await format(java, configuration);
  const log4j = `-Dlog4j2.configurationFile=${resolve('engines/kafka/log4j2.properties')}`;
  return { command: java, args: [...jvm, '-cp', `${libs()}/*`, log4j, 'kafka.Kafka', configuration] };
}
