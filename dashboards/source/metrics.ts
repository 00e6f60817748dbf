import { createMetrics } from '../../services/core/metrics.ts';
import { foreign, foreignHistogram, own } from './metric.ts';

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
  event: foreign('run', 'onrush_run_event_timestamp_seconds', 'run', 'event', 'detail'),
};

/** What k6 sends by remote write; the bench gives its metrics the run, the profile and the script. */
const K6 = ['run', 'profile', 'script', 'name'] as const;
export const k6 = {
  vus: foreign('run', 'k6_vus', 'run', 'profile', 'script'),
  requests: foreign('run', 'k6_http_reqs_total', ...K6),
  failedShare: foreign('run', 'k6_http_req_failed_rate', ...K6),
  p50: foreign('run', 'k6_http_req_duration_p50', ...K6),
  p95: foreign('run', 'k6_http_req_duration_p95', ...K6),
  p99: foreign('run', 'k6_http_req_duration_p99', ...K6),
  iterations: foreign('run', 'k6_iterations_total', 'run', 'profile', 'script'),
};

/** What the periodic verifier finds: loadtests/verify/metrics.ts. */
export const verifier = {
  violations: foreign('engine', 'onrush_invariant_violations', 'check'),
  verdict: foreign('engine', 'onrush_verdict', 'verdict'),
  verified: foreign('engine', 'onrush_verified_timestamp_seconds'),
};

/** mysqld_exporter's, of MySQL and MariaDB alike. */
export const mysql = {
  up: foreign('engine', 'mysql_up'),
  rowLockTime: foreign('engine', 'mysql_global_status_innodb_row_lock_time'),
  rowLockWaits: foreign('engine', 'mysql_global_status_innodb_row_lock_waits'),
  rowLockCurrent: foreign('engine', 'mysql_global_status_innodb_row_lock_current_waits'),
  deadlocks: foreign('engine', 'mysql_info_schema_innodb_metrics_lock_lock_deadlocks_total'),
  lockTimeouts: foreign('engine', 'mysql_info_schema_innodb_metrics_lock_lock_timeouts_total'),
  running: foreign('engine', 'mysql_global_status_threads_running'),
  connected: foreign('engine', 'mysql_global_status_threads_connected'),
  maxConnections: foreign('engine', 'mysql_global_variables_max_connections'),
  commands: foreign('engine', 'mysql_global_status_commands_total', 'command'),
  logFsyncs: foreign('engine', 'mysql_global_status_innodb_os_log_fsyncs'),
  poolReads: foreign('engine', 'mysql_global_status_innodb_buffer_pool_reads'),
  poolRequests: foreign('engine', 'mysql_global_status_innodb_buffer_pool_read_requests'),
  slowQueries: foreign('engine', 'mysql_global_status_slow_queries'),
};

/** redis_exporter's. */
export const redis = {
  up: foreign('engine', 'redis_up'),
  commands: foreign('engine', 'redis_commands_total', 'cmd'),
  commandSeconds: foreign('engine', 'redis_commands_duration_seconds_total', 'cmd'),
  clients: foreign('engine', 'redis_connected_clients'),
  memory: foreign('engine', 'redis_memory_used_bytes'),
  cpu: foreign('engine', 'redis_cpu_user_seconds_total'),
  cpuSystem: foreign('engine', 'redis_cpu_sys_seconds_total'),
  evicted: foreign('engine', 'redis_evicted_keys_total'),
  delayedFsync: foreign('engine', 'redis_aof_delayed_fsync'),
};

/** kube-state-metrics' and the kubelet's. */
export const kube = {
  restarts: foreign('engine', 'kube_pod_container_status_restarts_total', 'container'),
  ready: foreign('engine', 'kube_pod_status_ready', 'condition'),
  terminated: foreign('engine', 'kube_pod_container_status_last_terminated_reason', 'container', 'reason'),
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
