import { PassingMap } from './passing-map.ts';
import { type Outcome, refuse } from './refusals.ts';

interface Running<Result> {
  body: string;
  outcome: Promise<Outcome<Result>>;
}

/**
 * Requests of this process that carry the same key at the same time share one execution; the followers' answers are
 * marked as replayed. With another body the follower is refused with I422.
 */
export class Coalescer<Result> {
  readonly #running = new PassingMap<Running<Result>>();

  async run(key: string, body: string, work: () => Promise<Outcome<Result>>): Promise<Outcome<Result>> {
    const running = this.#running.get(key);
    if (running) {
      if (running.body !== body) return refuse('I422');
      const outcome = await running.outcome;
      return outcome.ok ? { ...outcome, replayed: true } : outcome;
    }
    const outcome = work();
    this.#running.set(key, { body, outcome });
    try {
      return await outcome;
    } finally {
      this.#running.delete(key);
    }
  }
}
