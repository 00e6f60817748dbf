import { cpus, release, totalmem, type } from 'node:os';

/** What the figures were taken on. */
export function describeMachine(k6Version: string, workers: number | undefined): { label: string; value: string }[] {
  const processors = cpus();
  return [
    { label: 'CPU', value: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}` },
    { label: 'Memory', value: `${(totalmem() / 2 ** 30).toFixed(1)} GiB` },
    { label: 'System', value: `${type()} ${release()}` },
    { label: 'Node.js', value: process.versions.node },
    ...(workers === undefined ? [] : [{ label: 'API processes', value: String(workers) }]),
    { label: 'Load generator', value: `${k6Version}, on the same machine` },
  ];
}
