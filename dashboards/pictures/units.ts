const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

const scaled = (value: number, steps: readonly (readonly [number, string])[], decimals?: number): string => {
  const [size, unit] = steps.find(([from]) => Math.abs(value) >= from) ?? steps.at(-1) ?? [1, ''];
  return `${plain(value / size, decimals)}${unit}`;
};

/** Three figures, as a rule. */
export function plain(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toFixed(decimals);
  const size = Math.abs(value);
  if (size >= 1000) return grouped.format(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value
    .toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)
    .replace(/0+$/, '')
    .replace(/\.$/, '');
}

const TIMES = [
  [86400, ' d'],
  [3600, ' h'],
  [60, ' min'],
  [1, ' s'],
  [0.001, ' ms'],
  [0.000001, ' µs'],
] as const;
const BYTES = [
  [2 ** 30, ' GiB'],
  [2 ** 20, ' MiB'],
  [2 ** 10, ' KiB'],
  [1, ' B'],
] as const;
const THOUSANDS = [
  [1e9, ' Bil'],
  [1e6, ' Mil'],
  [1e4, ' K'],
  [1, ''],
] as const;

/** A value as Grafana would write it, near enough. */
export function inUnit(value: number, unit: string | undefined, decimals?: number): string {
  if (!Number.isFinite(value)) return '–';
  switch (unit) {
    case 's':
      return value === 0 ? '0 s' : scaled(value, TIMES, decimals);
    case 'bytes':
      return value === 0 ? '0 B' : scaled(value, BYTES, decimals);
    case 'percentunit':
      return `${value === 0 ? '0' : plain(value * 100, decimals ?? (value >= 0.9995 ? 0 : value < 0.01 ? 2 : 1))} %`;
    case 'reqps':
      return `${scaled(value, THOUSANDS, decimals)} req/s`;
    case 'ops':
      return `${scaled(value, THOUSANDS, decimals)} ops/s`;
    case 'currencyKRW':
      return `₩${scaled(value, THOUSANDS, decimals)}`;
    case 'locale':
      return grouped.format(value);
    case 'dateTimeAsIso':
      return new Date(value).toISOString().slice(0, 19).replace('T', ' ');
    default:
      return scaled(value, THOUSANDS, decimals);
  }
}
