import { type Outcome, refuse } from './refusals.ts';

interface Running<Result> {
  body: string;
  /** Absent from the end on. */
  outcome: Promise<Outcome<Result>> | undefined;
}

/**
 * Requests of this process that carry the same key at the same time share one execution; the followers' answers are
 * marked as replayed. With another body the follower is refused with I422.
 */
export class Coalescer<Result> {
  /**
   * V8 makes a Map a new table after some hundred changes, and lets the old one refer to it. An old table that was moved to the
   * old generation keeps all later ones, with all that was in them, until the next full collection, which is seconds away.
   * An entry therefore lets go of its request by itself: that took scavenges from 22 ms to 4 (docs/performance.md).
   */
  readonly #running = new Map<string, Running<Result>>();

  async run(key: string, body: string, work: () => Promise<Outcome<Result>>): Promise<Outcome<Result>> {
    const running = this.#running.get(key);
    if (running?.outcome) {
      if (running.body !== body) return refuse('I422');
      const outcome = await running.outcome;
      return outcome.ok ? { ...outcome, replayed: true } : outcome;
    }
    const outcome = work();
    const entry: Running<Result> = { body, outcome };
    this.#running.set(key, entry);
    try {
      return await outcome;
    } finally {
      entry.outcome = undefined;
      this.#running.delete(key);
    }
  }
}
