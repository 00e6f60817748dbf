export interface Estimate {
  median: number;
  /** The true median lies between these with 95 % (sign test), if the differences are independent. */
  low: number;
  high: number;
}

/** The median of these values and the order statistics that enclose it with 95 %. */
export function estimate(values: number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const half = Math.floor(0.98 * Math.sqrt(n));
  const at = (index: number) => sorted[Math.min(n - 1, Math.max(0, index))] ?? Number.NaN;
  const middle = n % 2 === 1 ? at((n - 1) / 2) : (at(n / 2 - 1) + at(n / 2)) / 2;
  return { median: middle, low: at(Math.floor(n / 2) - half - 1), high: at(Math.ceil(n / 2) + half) };
}
