import type { Point } from './sample.ts';

/** The points of the last ten minutes and no older ones; as text too, because every new watcher gets them all. */
export class History {
  static readonly MOST = 600;
  static readonly AGE = 600_000;
  readonly #points: { at: number; text: string }[] = [];

  add(point: Point): void {
    this.#points.push({ at: point.at, text: JSON.stringify(point) });
    this.#forget(point.at);
  }

  /** A JSON array. */
  text(now: number): string {
    this.#forget(now);
    return `[${this.#points.map(({ text }) => text).join(',')}]`;
  }

  #forget(now: number): void {
    const kept = this.#points.findIndex(({ at }) => at > now - History.AGE);
    this.#points.splice(0, Math.max(this.#points.length - History.MOST, kept === -1 ? this.#points.length : kept));
  }
}
