/** A token that was found good is not verified again for so long, nor beyond its own end. Milliseconds. */
const STAY = 60_000;
/** Two generations of so many; with tokens of 1 KiB that is 40 MB at the very most. */
const GENERATION = 20_000;

/**
 * What verified tokens said. When the recent half is full, the one before is forgotten. To find one here costs 3 µs of CPU,
 * rate limit included; jose takes 78 to verify HS256, 124 for RS256, 215 for ES256, and node:crypto by itself 13 for HS256
 * (loadtests/observe/token-cost.ts). A whole charge costs about 150 (docs/performance.md).
 */
export class TokenCache<T> {
  #recent = new Map<string, { value: T; until: number }>();
  #before = new Map<string, { value: T; until: number }>();

  get(token: string, now = Date.now()): T | undefined {
    let entry = this.#recent.get(token);
    if (!entry) {
      entry = this.#before.get(token);
      if (entry) this.#keep(token, entry);
    }
    return entry && now < entry.until ? entry.value : undefined;
  }

  /** `expires`: milliseconds since the epoch. */
  put(token: string, value: T, expires: number, now = Date.now()): void {
    this.#keep(token, { value, until: Math.min(expires, now + STAY) });
  }

  #keep(token: string, entry: { value: T; until: number }): void {
    if (this.#recent.size >= GENERATION) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(token, entry);
  }
}
