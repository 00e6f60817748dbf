/** Changes after which a table is left, besides one for each entry that then has to be moved. */
const LEAST = 128;

/**
 * A Map for entries that are gone within milliseconds. V8 makes a Map a new table after some hundred changes, and lets the old one
 * refer to it: an old table that was moved to the old generation keeps all later ones, and what was in them, until the next full
 * collection, seconds away. So a deleted entry lets go of its value, and now and then all entries move to a new Map, which no old
 * table refers to (docs/performance.md).
 */
export class PassingMap<Value> {
  #entries = new Map<string, { value: Value | undefined }>();
  #changes = 0;

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: Value): void {
    if (++this.#changes > LEAST + this.#entries.size) {
      this.#entries = new Map(this.#entries);
      this.#changes = 0;
    }
    this.#entries.set(key, { value });
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) entry.value = undefined;
    this.#entries.delete(key);
  }
}
