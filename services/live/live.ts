import type { ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { type Express, Router } from 'express';
import type { Logger } from 'pino';
import { pageFiles, secure } from './files.ts';
import { BACKLOGS, FAILED_TARGET, PLACES } from './measure.ts';
import type { About, Hello } from './sample.ts';
import { Sampler, type SamplerOptions } from './sampler.ts';
import { Watchers } from './watchers.ts';

/** Milliseconds. */
const INTERVAL = 1_000;
/** Sampling goes on for so long when the last watcher has left: a page that is loaded again finds its charts. */
const LINGER = 30_000;

export interface LiveOptions extends Omit<SamplerOptions, 'clock'> {
  about: Omit<About, 'pid' | 'host'>;
  logger: Logger;
}

/** The page that shows what happens now, and its events. While nobody watches it does nothing at all. */
export class Live {
  readonly #options: LiveOptions;
  readonly #sampler: Sampler;
  readonly #watchers = new Watchers();
  #timer: NodeJS.Timeout | undefined;
  #lastWatched = 0;
  #sampling = false;
  #closed = false;

  constructor(options: LiveOptions, sampler = new Sampler(options)) {
    this.#options = options;
    this.#sampler = sampler;
  }

  /** Serves /live, what it loads, and its events. */
  mount(app: Express): void {
    const router = Router();
    for (const { path, type, text } of pageFiles())
      router.get(path, secure, (_req, res) => {
        res.type(type).set('Cache-Control', 'no-cache').send(text);
      });
    router.get('/live/events', secure, (_req, res) => this.#watch(res));
    app.use(router);
  }

  /** Lets all watchers go and takes no more, so that they do not hold up the end. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watchers.endAll();
  }

  #watch(res: ServerResponse): void {
    if (this.#closed || !this.#watchers.add(res, () => this.#left())) {
      res.writeHead(503, { 'Retry-After': '5', 'Content-Type': 'text/plain' });
      res.end(this.#closed ? 'stopping\n' : 'too many watch already\n');
      return;
    }
    Watchers.send(res, 'hello', this.#hello());
    if (this.#sampler.latest && this.#timer) Watchers.send(res, 'sample', JSON.stringify(this.#sampler.latest));
    this.#lastWatched = Date.now();
    if (this.#timer) return;
    this.#timer = setInterval(() => void this.#tick(), INTERVAL).unref();
    void this.#tick();
  }

  #left(): void {
    this.#lastWatched = Date.now();
  }

  async #tick(): Promise<void> {
    if (this.#watchers.size === 0 && Date.now() - this.#lastWatched > LINGER) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    // A process that is slow to report its metrics makes a gap, not a queue.
    if (this.#sampling) return this.#watchers.beat();
    this.#sampling = true;
    try {
      const sample = await this.#sampler.sample();
      if (sample) this.#watchers.sendAll('sample', JSON.stringify(sample));
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'no sample for the live page');
      this.#watchers.beat();
    } finally {
      this.#sampling = false;
    }
  }

  #hello(): string {
    const { about, apis } = this.#options;
    const hello: Omit<Hello, 'history'> = {
      process: { ...about, pid: process.pid, host: hostname() },
      apis: apis.map(({ title, target }) => ({ title, target, failedTarget: FAILED_TARGET })),
      places: [...PLACES],
      backlogs: [...BACKLOGS],
    };
    return `${JSON.stringify(hello).slice(0, -1)},"history":${this.#sampler.history.text(Date.now())}}`;
  }
}
