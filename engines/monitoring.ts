import { existsSync } from 'node:fs';
import { atLeast, findProgram, readVersion } from './command.ts';
import { inState } from './directory.ts';
import { buildGo, type GoProgram } from './go.ts';
import { say } from './say.ts';

const prometheus = {
  module: 'github.com/prometheus/prometheus',
  // Of Prometheus 3.16.0, as its Go module counts.
  version: 'v0.316.0',
  // Discovery in clouds, with all their client libraries, is most of the build; the chart's configuration needs Kubernetes'.
  tags: 'remove_all_sd,enable_kubernetes_sd',
  stamps: { 'github.com/prometheus/common/version.Version': '3.16.0' },
};

/** What watches the engines and the services, of the versions that charts/observability runs. */
const PROGRAMS = {
  prometheus: { ...prometheus, package: './cmd/prometheus' },
  promtool: { ...prometheus, package: './cmd/promtool' },
  mysqld_exporter: {
    module: 'github.com/prometheus/mysqld_exporter',
    version: 'v0.19.0',
    package: '.',
    stamps: { 'github.com/prometheus/common/version.Version': '0.19.0' },
  },
  redis_exporter: {
    module: 'github.com/oliver006/redis_exporter',
    version: 'v1.82.0',
    package: '.',
    stamps: { 'main.BuildVersion': '1.82.0' },
  },
} satisfies Record<string, GoProgram>;
export type MonitoringProgram = keyof typeof PROGRAMS;

/** Metric names differ between major versions of Prometheus; exporters add some with every version. */
const oldest: Record<MonitoringProgram, number[]> = {
  prometheus: [3, 0],
  promtool: [3, 0],
  mysqld_exporter: [0, 19],
  redis_exporter: [1, 82],
};

/** The path of a program: the one on PATH, the one built before, else one built now from its Go module. */
export async function findMonitoring(name: MonitoringProgram): Promise<string> {
  const installed = findProgram(name);
  if (installed && atLeast(await readVersion(installed, '--version'), oldest[name])) return installed;
  const program: GoProgram = PROGRAMS[name];
  const built = inState('bin', `${name}-${program.version}`);
  if (existsSync(built)) return built;
  say(`go build ${program.module}@${program.version}: there is no ${name} of that age here; this takes minutes, once`);
  await buildGo(name, program, built);
  return built;
}
