/** Round numbers from zero to at least `max`, about `wanted` of them. */
export function ticks(max: number, wanted = 4): number[] {
  const rough = Math.max(max, 1e-9) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** Position on a logarithmic axis in percent; what is below `from` sits on its left end. */
export const logPosition = (value: number, from: number, to: number): number =>
  (100 * Math.log(Math.min(Math.max(value, from), to) / from)) / Math.log(to / from);

/** Two decimals of a percent are less than a pixel. */
export const coordinate = (value: number): string => String(Math.round(value * 100) / 100);
