import { performance } from 'node:perf_hooks';
import { judge } from './health.ts';
import { History } from './history.ts';
import { type LiveApi, measureNow, measurePoint } from './measure.ts';
import type { Reading } from './reading.ts';
import type { LastVerdict, Sample } from './sample.ts';

/** Readings that the figures beside the charts span, one more than seconds. */
const WINDOW = 11;
/** Without a reading for longer, what lies between two is no second of a chart. Milliseconds. */
const GAP = 5_000;

export interface SamplerOptions {
  apis: readonly LiveApi[];
  read(): Promise<Reading>;
  lastVerdict(): Promise<LastVerdict | null>;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

interface Moment {
  at: number;
  reading: Reading;
  cpu: number;
  loop: ReturnType<typeof performance.eventLoopUtilization>;
}

/** Turns readings, of which one is taken whenever it is asked to, into points and figures. */
export class Sampler {
  readonly history = new History();
  latest: Sample | undefined;
  readonly #options: SamplerOptions;
  readonly #clock: () => number;
  #moments: Moment[] = [];

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  /** The first time there is nothing to compare with, hence no sample. */
  async sample(): Promise<Sample | undefined> {
    const { apis, read, lastVerdict } = this.#options;
    const [reading, verdict] = await Promise.all([read(), lastVerdict()]);
    const cpu = process.cpuUsage();
    const after: Moment = {
      at: this.#clock(),
      reading,
      cpu: (cpu.user + cpu.system) / 1e6,
      loop: performance.eventLoopUtilization(),
    };
    const before = this.#moments.at(-1);
    if (before && (after.at - before.at > GAP || after.at <= before.at)) this.#moments = [];
    this.#moments.push(after);
    if (this.#moments.length > WINDOW) this.#moments.shift();
    const first = this.#moments[0];
    if (!before || !first || this.#moments.length < 2) return undefined;

    const between = (from: Moment) => (after.at - from.at) / 1000;
    const point = { at: after.at, ...measurePoint(apis, before.reading, reading, between(before)) };
    const measured = measureNow(apis, first.reading, reading, between(first));
    const { health, states } = judge(apis, measured);
    const { deadLetters: _dead, outboxFailed: _given, ...shown } = measured;
    this.history.add(point);
    this.latest = {
      point,
      now: {
        ...shown,
        health,
        apis: shown.apis.map((one, n) => ({ ...one, state: states[n] ?? 'idle' })),
        cores: (after.cpu - first.cpu) / between(first),
        loopBusy: performance.eventLoopUtilization(after.loop, first.loop).utilization,
        memoryBytes: process.memoryUsage.rss(),
        verdict,
      },
    };
    return this.latest;
  }
}
