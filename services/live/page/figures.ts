const whole = new Intl.NumberFormat('en');

/** Three digits at most before it is thousands, none after the point where they say nothing. */
export function figure(value: number | null): string {
  if (value === null) return '–';
  if (value === 0) return '0';
  if (value < 10) return value.toFixed(1).replace(/\.0$/, '');
  return whole.format(Math.round(value));
}

/** The largest bucket of the request histogram ends here: beyond it nothing is known. */
const MOST = 10_000;

/** A time with its unit. */
export function duration(milliseconds: number | null): { value: string; unit: string } {
  if (milliseconds === null) return { value: '–', unit: '' };
  if (milliseconds >= MOST) return { value: '≥ 10', unit: 's' };
  if (milliseconds >= 1_000) return { value: (milliseconds / 1_000).toFixed(1), unit: 's' };
  return { value: figure(milliseconds), unit: 'ms' };
}

export const durationText = (milliseconds: number | null): string => {
  const { value, unit } = duration(milliseconds);
  return unit ? `${value} ${unit}` : value;
};

/** Never rounded up to all: of a hundred thousand, one that failed is worth a digit. */
export function percent(share: number | null): string {
  if (share === null) return '–';
  const digits = share === 0 || share === 1 ? 0 : share < 0.001 ? 2 : share < 0.1 || share > 0.9 ? 1 : 0;
  return `${(Math.floor(10 ** (digits + 2) * share + 1e-9) / 10 ** digits).toFixed(digits).replace(/\.0+$/, '')} %`;
}

export const clock = (at: number): string => new Date(at).toLocaleTimeString('en-GB');

export function bytes(value: number): string {
  return value < 1e9 ? `${Math.round(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}
