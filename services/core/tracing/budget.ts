/**
 * A bucket of `burst` that is refilled with `perSecond`. When everything is slow, tracing all of it would make it slower
 * and say the same thing a thousand times.
 */
export class Budget {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #filled = performance.now();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  /** True if one more is within the budget. */
  take(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#filled) / 1000) * this.#perSecond);
    this.#filled = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
