import { parseExposition, type Reading } from '../exposition.ts';
import type { Cluster, Pod } from './cluster.ts';

/** An evicted pod stays listed, and is as gone as one that was deleted. */
const isThere = ({ status }: Pod): boolean => status.phase === 'Running' || status.phase === 'Pending';

/** All pods of the application, as one: their metrics together, and what happened to them. */
export class Fleet {
  readonly #cluster: Cluster;
  /** Last reading of each process: a pod's container that starts again is another one. */
  readonly #readings = new Map<string, { reading: Reading; alive: boolean }>();
  #pods = new Map<string, { name: string; component: string; restarts: number }>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * Series of all processes there have been: counters of those that ended stay as they were last seen, so that sums only grow;
   * gauges end with their process.
   */
  async read(): Promise<Reading> {
    const pods = await this.pods();
    for (const seen of this.#readings.values()) seen.alive = false;
    await Promise.all(
      pods.map(async (pod) => {
        const ports = pod.spec.containers[0]?.ports ?? [];
        const port = (ports.find(({ name }) => name === 'admin') ?? ports[0])?.containerPort;
        if (port === undefined) return;
        const path = this.#cluster.path('v1', 'pods', `${pod.metadata.name}:${port}`);
        const text = await this.#cluster.text(`${path}/proxy/metrics`).catch(() => undefined);
        if (text === undefined) return;
        const reading = parseExposition(text);
        const started = reading.get('process_start_time_seconds')?.[0]?.value ?? 0;
        this.#readings.set(`${pod.metadata.uid} ${started}`, { reading, alive: true });
      }),
    );
    if (![...this.#readings.values()].some(({ alive }) => alive))
      throw new Error('no pod of the application shows its metrics');
    const all: Reading = new Map();
    for (const { reading, alive } of this.#readings.values())
      for (const [name, series] of reading)
        if (alive || /_(total|count|sum|bucket)$/.test(name)) all.set(name, [...(all.get(name) ?? []), ...series]);
    return all;
  }

  /** Running pods of the application itself: not engines, edge, Jobs or runners. */
  async pods(): Promise<Pod[]> {
    const pods = await this.#cluster.list<Pod>(
      'v1',
      'pods',
      'app.kubernetes.io/part-of=onrush,app.kubernetes.io/component,!batch.kubernetes.io/job-name',
    );
    return pods.filter(
      ({ status, spec }) => status.phase === 'Running' && spec.containers[0]?.ports?.[0] !== undefined,
    );
  }

  /** One line for each pod that came, went or started again since the last call. */
  async changes(): Promise<string[]> {
    const all = await this.#cluster.list<Pod>(
      'v1',
      'pods',
      'app.kubernetes.io/part-of=onrush,!batch.kubernetes.io/job-name',
    );
    const now = new Map(
      all.filter(isThere).map(({ metadata, status }) => [
        metadata.uid,
        {
          name: metadata.name,
          component:
            metadata.labels?.['app.kubernetes.io/component'] ?? metadata.labels?.['app.kubernetes.io/name'] ?? '',
          restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
        },
      ]),
    );
    const lines: string[] = [];
    for (const [uid, { name, restarts }] of now) {
      const before = this.#pods.get(uid);
      if (!before) lines.push(`the pod ${name} is new`);
      else if (restarts > before.restarts)
        lines.push(`the pod ${name} was restarted ${restarts - before.restarts} times`);
    }
    for (const [uid, { name }] of this.#pods) if (!now.has(uid)) lines.push(`the pod ${name} is gone`);
    this.#pods = now;
    return lines;
  }

  /** Pods of each component, as last seen. */
  sizes(): Record<string, number> {
    const sizes: Record<string, number> = {};
    for (const { component } of this.#pods.values()) sizes[component] = (sizes[component] ?? 0) + 1;
    return sizes;
  }
}
