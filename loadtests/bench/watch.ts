import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiName, Slo } from '../k6/lib/slo.ts';
import type { ApiResult, ResourcePoint } from '../report/results.ts';
import { observed, parseExposition, quantile, type Reading, sum } from './exposition.ts';
import { coresUsed, readProcessors, type Used } from './processors.ts';
import type { Progress } from './progress.ts';

export const REQUESTS = 'onrush_http_request_duration_seconds';
export const CPU = 'onrush_process_cpu_seconds_total';
const MEMORY = 'onrush_process_resident_memory_bytes';

export async function readMetrics(baseUrl: string): Promise<Reading> {
  const response = await fetch(`${baseUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${baseUrl}/metrics answered ${response.status}`);
  return parseExposition(await response.text());
}

export interface Watched {
  timelines: Partial<Record<ApiName, ApiResult['timeline']>>;
  peakRssBytes: number;
  resources: ResourcePoint[];
  /** Cores by process, as far as the system tells, of the whole machine, and those that its host took from it. */
  cores: Used;
}

/** How often memory and the like are noted. Milliseconds. */
const RESOURCES_EVERY = 5_000;

/**
 * Reads the server's own histograms again and again until stopped: what is shown live and drawn later.
 * @param read the metrics of all its processes together.
 * @param pids processes whose CPU is told apart, by name; more may be added while it runs.
 * @param every milliseconds from one look to the next.
 */
export function watch(
  read: () => Promise<Reading>,
  label: string,
  apis: ApiName[],
  slo: Record<ApiName, Slo>,
  pids: Record<string, number>,
  progress: Progress,
  every = 1_000,
): { stop(): Promise<Watched> } {
  const timelines: Watched['timelines'] = Object.fromEntries(apis.map((api) => [api, []]));
  const watched: Watched = { timelines, peakRssBytes: 0, resources: [], cores: { by: {}, all: 0, stolen: 0 } };
  const stopping = new AbortController();
  const began = performance.now();
  const usedBefore = readProcessors(pids);

  async function look(): Promise<void> {
    let before = await read().catch(() => undefined);
    let last = performance.now();
    while (!stopping.signal.aborted) {
      await sleep(Math.max(100, every - ((performance.now() - began) % every)), undefined, {
        signal: stopping.signal,
      }).catch(() => {});
      // The generator's own time is gone once it has ended, so the last reading is that of the last second.
      if (!stopping.signal.aborted)
        watched.cores = coresUsed(usedBefore, readProcessors(pids), (performance.now() - began) / 1000);
      const after = await read().catch(() => undefined);
      const now = performance.now();
      if (!after) {
        progress.show(`${label}  ${seconds(now - began)}  the APIs do not answer`);
        continue;
      }
      for (const { labels, value } of after.get(MEMORY) ?? [])
        if (labels.work !== 'background') watched.peakRssBytes = Math.max(watched.peakRssBytes, value);
      if (now - (watched.resources.at(-1)?.second ?? Number.NEGATIVE_INFINITY) * 1_000 - began >= RESOURCES_EVERY)
        watched.resources.push(resourcesOf(after, (now - began) / 1_000));
      // The last look comes at any moment; over a fraction of a second a rate says little.
      if (before && now - last > 500) {
        const shown = apis.map((api) => point(api, before as Reading, after, (now - last) / 1000));
        progress.show(`${label}  ${seconds(now - began)}  ${shown.join('  |  ')}`);
      }
      before = after;
      last = now;
    }
  }

  function point(api: ApiName, before: Reading, after: Reading, over: number): string {
    const { route } = slo[api];
    const requests = observed(before, after, REQUESTS, { method: 'POST', route });
    const perSecond = requests.count / over;
    const p50 = milliseconds(quantile(requests, 0.5));
    const p95 = milliseconds(quantile(requests, 0.95));
    timelines[api]?.push({ second: (performance.now() - began) / 1000, perSecond, p50, p95 });
    const errors = serverErrors(before, after, route);
    return `${api} ${perSecond.toFixed(0).padStart(5)}/s  p95 ${p95 === null ? '-' : p95.toFixed(0)} ms  errors ${errors}`;
  }

  const looking = look();
  return {
    async stop() {
      stopping.abort();
      await looking;
      progress.done();
      return watched;
    },
  };
}

/** Of all the APIs' processes together. */
const resourcesOf = (reading: Reading, second: number): ResourcePoint => ({
  second,
  heapBytes: sum(reading, 'nodejs_heap_size_used_bytes'),
  rssBytes: sum(reading, 'process_resident_memory_bytes'),
  descriptors: sum(reading, 'process_open_fds'),
  gcSeconds: sum(reading, 'nodejs_gc_duration_seconds_sum'),
});

const milliseconds = (value: number | undefined): number | null => (value === undefined ? null : value * 1000);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(0).padStart(3)} s`;

/** Answers of the server's own making: 5xx. */
export function serverErrors(before: Reading, after: Reading, route: string): number {
  const of = (reading: Reading) =>
    (reading.get(`${REQUESTS}_count`) ?? [])
      .filter(({ labels }) => labels.route === route && labels.method === 'POST' && labels.status?.startsWith('5'))
      .reduce((total, { value }) => total + value, 0);
  return of(after) - of(before);
}
