/** How often the two clocks are held together. Milliseconds. */
const LIFE = 10_000;

let offset = Date.now() - performance.now();
let learned = performance.now();

/**
 * Milliseconds since the epoch, with fractions, of a moment of performance.now(). Both kinds of time of one process are
 * comparable by it; `performance.timeOrigin` is not used, because it misses every correction of the clock since the start.
 */
export function epochOf(moment: number): number {
  const now = performance.now();
  if (now - learned > LIFE) {
    learned = now;
    const drifted = Date.now() - now;
    // Date.now() is whole milliseconds: less than one of difference is no drift.
    if (Math.abs(drifted - offset) > 1) offset = drifted;
  }
  return moment + offset;
}
