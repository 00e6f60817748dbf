import { cpus, release, totalmem, type } from 'node:os';
import type { Config } from '../../services/core/config.ts';

/** What the figures were taken on. */
export function describeMachine(
  generator: string,
  apis: Pick<Config, 'workers' | 'background'> | undefined,
): { label: string; value: string }[] {
  const processors = cpus();
  return [
    { label: 'CPU', value: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}` },
    { label: 'Memory', value: `${(totalmem() / 2 ** 30).toFixed(1)} GiB` },
    { label: 'System', value: `${type()} ${release()}` },
    { label: 'Node.js', value: process.versions.node },
    ...(apis === undefined ? [] : [{ label: 'API processes', value: processes(apis) }]),
    { label: 'Load generator', value: `${generator}, on the same machine` },
  ];
}

const processes = ({ workers, background }: Pick<Config, 'workers' | 'background'>): string =>
  background === 'apart' ? `${workers}, and one for relaying and consuming` : String(workers);
