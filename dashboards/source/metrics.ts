import { RUN_EVENT } from '../../loadtests/bench/run-events.ts';
import { createVerifierMetrics } from '../../loadtests/verify/metrics.ts';
import { createMetrics } from '../../services/core/metrics.ts';
import { foreign, foreignHistogram, only, own } from './metric.ts';

const program = createMetrics({ on: false });

/** What the program counts: services/core/metrics.ts says what each one means. */
export const onrush = {
  buildInfo: own(program.buildInfo),
  inFlight: own(program.inFlight),
  pool: own(program.pool),
  poolSize: own(program.poolSize),
  queued: own(program.queued),
  streamLength: own(program.streamLength),
  gatesClosed: own(program.gatesClosed),
  couponQuantity: own(program.couponQuantity),
  leader: own(program.leader),
  lockWaiters: own(program.lockWaiters),
  lockOldest: own(program.lockOldest),
  consumerLag: own(program.consumerLag),
  outboxBacklog: own(program.outboxBacklog),
  outboxAge: own(program.outboxAge),
  duration: own(program.duration),
  lockWait: own(program.lockWait),
  lockHold: own(program.lockHold),
  transaction: own(program.transaction),
  batchSize: own(program.batchSize),
  gate: own(program.gate),
  issueLag: own(program.issueLag),
  rebuild: own(program.rebuild),
  outboxLag: own(program.outboxLag),
  produce: own(program.produce),
  refusals: own(program.refusals),
  replays: own(program.replays),
  won: own(program.won),
  retries: own(program.retries),
  lockWaits: own(program.lockWaits),
  lockSamples: own(program.lockSamples),
  admissions: own(program.admissions),
  issued: own(program.issued),
  relayed: own(program.relayed),
  rebuilds: own(program.rebuilds),
  lostPromises: own(program.lostPromises),
  consumed: own(program.consumed),
  deadLetters: own(program.deadLetters),
  outbox: own(program.outbox),
  traces: own(program.traces),
  tracesSkipped: own(program.tracesSkipped),
  spans: own(program.spans),
};

/** What prom-client tells of each Node process. */
export const node = {
  cpu: foreign('program', 'process_cpu_seconds_total'),
  memory: foreign('program', 'process_resident_memory_bytes'),
  heapUsed: foreign('program', 'nodejs_heap_size_used_bytes'),
  loopLag: foreign('program', 'nodejs_eventloop_lag_p99_seconds'),
  gc: foreignHistogram('program', 'nodejs_gc_duration_seconds', 'kind'),
  started: foreign('program', 'process_start_time_seconds'),
};

/** Prometheus's own. */
export const prometheus = {
  up: foreign('engine', 'up'),
  alerts: foreign('engine', 'ALERTS', 'alertname', 'alertstate', 'severity'),
};

/** What a load run tells of itself: loadtests/bench/run-events.ts. */
export const run = {
  event: foreign('run', RUN_EVENT, 'run', 'event', 'detail'),
};

/** What k6 sends by remote write; loadtests/k6/lib/environment.ts adds the run, its profile and the scenario. */
const K6 = ['run', 'profile', 'scenario', 'name'] as const;
export const k6 = {
  vus: foreign('run', 'k6_vus', 'run', 'profile', 'scenario'),
  requests: foreign('run', 'k6_http_reqs_total', ...K6),
  failedShare: foreign('run', 'k6_http_req_failed_rate', ...K6),
  p50: foreign('run', 'k6_http_req_duration_p50', ...K6),
  p95: foreign('run', 'k6_http_req_duration_p95', ...K6),
  p99: foreign('run', 'k6_http_req_duration_p99', ...K6),
  iterations: foreign('run', 'k6_iterations_total', 'run', 'profile', 'scenario'),
};

const watch = createVerifierMetrics();

/** What the periodic verifier finds. */
export const verifier = {
  violations: own(watch.violations, 'engine'),
  verdict: own(watch.verdict, 'engine'),
  verified: own(watch.verified, 'engine'),
  duration: own(watch.duration, 'engine'),
};

/** mysqld_exporter's, of MySQL and MariaDB alike unless it says otherwise. */
export const mysql = {
  up: foreign('engine', 'mysql_up'),
  rowLockMilliseconds: foreign('engine', 'mysql_global_status_innodb_row_lock_time'),
  rowLockWaits: foreign('engine', 'mysql_global_status_innodb_row_lock_waits'),
  deadlocks: only('MySQL', foreign('engine', 'mysql_info_schema_innodb_metrics_lock_lock_deadlocks_total')),
  deadlocksOfMariaDb: only('MariaDB', foreign('engine', 'mysql_global_status_innodb_deadlocks')),
  running: foreign('engine', 'mysql_global_status_threads_running'),
  connected: foreign('engine', 'mysql_global_status_threads_connected'),
  maxConnections: foreign('engine', 'mysql_global_variables_max_connections'),
  commands: foreign('engine', 'mysql_global_status_commands_total', 'command'),
  fsyncs: foreign('engine', 'mysql_global_status_innodb_data_fsyncs'),
  pageReads: foreign('engine', 'mysql_global_status_innodb_buffer_pool_reads'),
  slowQueries: foreign('engine', 'mysql_global_status_slow_queries'),
};

/** redis_exporter's. */
export const redis = {
  up: foreign('engine', 'redis_up'),
  commands: foreign('engine', 'redis_commands_total', 'cmd'),
  commandSeconds: foreign('engine', 'redis_commands_duration_seconds_total', 'cmd'),
  clients: foreign('engine', 'redis_connected_clients'),
  memory: foreign('engine', 'redis_memory_used_bytes'),
  userCpu: foreign('engine', 'redis_cpu_user_seconds_total'),
  systemCpu: foreign('engine', 'redis_cpu_sys_seconds_total'),
  delayedFsyncs: foreign('engine', 'redis_aof_delayed_fsync'),
};

/** kube-state-metrics' and the kubelet's. */
export const kube = {
  restarts: foreign('engine', 'kube_pod_container_status_restarts_total', 'container'),
  replicas: foreign('engine', 'kube_deployment_spec_replicas', 'deployment'),
  available: foreign('engine', 'kube_deployment_status_replicas_available', 'deployment'),
  cpu: foreign('engine', 'container_cpu_usage_seconds_total', 'container'),
  throttled: foreign('engine', 'container_cpu_cfs_throttled_periods_total', 'container'),
  periods: foreign('engine', 'container_cpu_cfs_periods_total', 'container'),
  memory: foreign('engine', 'container_memory_working_set_bytes', 'container'),
  limits: foreign('engine', 'kube_pod_container_resource_limits', 'container', 'resource'),
};

/** Recorded by burn-rates.ts. */
const burn = (window: string) => foreign('engine', `onrush:budget_burn:ratio_rate${window}`, 'api', 'slo');
export const budget = { burn5m: burn('5m'), burn30m: burn('30m'), burn1h: burn('1h'), burn6h: burn('6h') };
