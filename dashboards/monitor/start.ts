import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { inState, logFile } from '../../engines/directory.ts';
import { findMonitoring } from '../../engines/monitoring.ts';
import { RULES_FILE } from '../source/generated.ts';

/** A process that tells metrics, and how it is called there. */
export interface Target {
  address: string;
  service: string;
  pod: string;
}

export interface MonitoringOptions {
  targets: Target[];
  databaseUrl: string;
  redisUrl: string;
  /** Where Prometheus answers. */
  port: number;
  /** Of the exporters of MySQL and Redis; by default the two after it. */
  exporterPorts?: [number, number];
  /** Label that the chart takes from Kubernetes. */
  namespace: string;
  /** Seconds between two readings of every target. */
  interval?: number;
  /** Where it is recorded, in .onrush. */
  directory?: string;
  /** Rules file. */
  rules?: string;
}

export interface Monitoring {
  url: string;
  stop(): Promise<void>;
}

const READY_WITHIN = 30_000;

/**
 * Starts Prometheus, with the alerts, and the exporters of MySQL and Redis. What was recorded lies in .onrush/prometheus
 * and is kept for a day.
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { port, exporterPorts: [mysqlPort, redisPort] = [port + 1, port + 2] } = options;
  const mysql = { address: `127.0.0.1:${mysqlPort}`, service: 'mysql', pod: 'mysql' };
  const redis = { address: `127.0.0.1:${redisPort}`, service: 'redis', pod: 'redis' };
  const directory = inState(options.directory ?? 'prometheus');
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'prometheus.yaml');
  writeFileSync(config, stringify(configuration(options, [mysql, redis])));
  const running: ChildProcess[] = [];
  const start = async (name: 'prometheus' | 'mysqld_exporter' | 'redis_exporter', args: string[], env = {}) => {
    running.push(launch(await findMonitoring(name), name, args, env));
  };
  const stop = async () => {
    await Promise.all(running.map(end));
  };
  try {
    await start('mysqld_exporter', ...mysqlExporter(options.databaseUrl, mysql.address));
    await start('redis_exporter', ...redisExporter(options.redisUrl, redis.address));
    await start('prometheus', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      '--storage.tsdb.retention.time=1d',
      `--web.listen-address=127.0.0.1:${port}`,
      // Load runs send k6's metrics and their own events.
      '--web.enable-remote-write-receiver',
      '--web.enable-otlp-receiver',
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ]);
    const url = `http://127.0.0.1:${port}`;
    await untilReady(url, running);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(
  { targets, namespace, interval = 5, rules = RULES_FILE }: MonitoringOptions,
  exporters: Target[],
) {
  return {
    global: { scrape_interval: `${interval}s`, evaluation_interval: `${interval}s` },
    rule_files: [resolve(rules)],
    // k6 sends from several processes at once.
    storage: { tsdb: { out_of_order_time_window: '1m' } },
    scrape_configs: [
      {
        job_name: 'onrush',
        static_configs: [...targets, ...exporters].map(({ address, service, pod }) => ({
          targets: [address],
          labels: { namespace, service, pod },
        })),
      },
    ],
  };
}

function mysqlExporter(databaseUrl: string, listen: string): [string[], Record<string, string>] {
  const { hostname, port, username, password } = new URL(databaseUrl);
  return [
    [
      `--mysqld.address=${hostname}:${port || 3306}`,
      `--mysqld.username=${decodeURIComponent(username)}`,
      `--web.listen-address=${listen}`,
      '--collect.info_schema.innodb_metrics',
      '--no-collect.slave_status',
      '--log.level=warn',
    ],
    { MYSQLD_EXPORTER_PASSWORD: decodeURIComponent(password) },
  ];
}

function redisExporter(redisUrl: string, listen: string): [string[], Record<string, string>] {
  const { protocol, host, password } = new URL(redisUrl);
  return [
    ['-redis.addr', `${protocol}//${host}`, '-web.listen-address', listen],
    { REDIS_PASSWORD: decodeURIComponent(password) },
  ];
}

function launch(path: string, name: string, args: string[], env: Record<string, string>): ChildProcess {
  const log = logFile(name);
  mkdirSync(dirname(log), { recursive: true });
  const out = openSync(log, 'w');
  return spawn(path, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env } });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await ended;
}

async function untilReady(url: string, running: ChildProcess[]): Promise<void> {
  const until = Date.now() + READY_WITHIN;
  for (;;) {
    const dead = running.find(({ exitCode }) => exitCode !== null);
    if (dead) throw new Error(`${dead.spawnfile} ended (${dead.exitCode}): see ${inState('log')}`);
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > until) throw new Error(`Prometheus was not ready within ${READY_WITHIN / 1000} s`);
    await sleep(100);
  }
}
