/** Reading so many products takes less than the round trip that it is to save. */
const MOST = 64;

/** The products that were ordered last: what the next order will most likely want, to be read before its cart is known. */
export class LatelyWanted {
  /** The latest last. */
  readonly #ids = new Set<string>();

  add(productIds: Iterable<string>): void {
    for (const id of productIds) {
      this.#ids.delete(id);
      this.#ids.add(id);
    }
    for (const id of this.#ids) {
      if (this.#ids.size <= MOST) break;
      this.#ids.delete(id);
    }
  }

  clear(): void {
    this.#ids.clear();
  }

  /** At most 64, in no order. */
  ids(): string[] {
    return [...this.#ids];
  }
}
