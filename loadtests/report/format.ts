const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1234567 → 1,234,567 */
export const count = (value: number): string => grouped.format(value);

/** Three figures are enough for any measurement: 0.84, 3.42, 17.3, 288, 1,234. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return digits === 0 ? count(value) : value.toFixed(digits);
}

export const percent = (share: number): string =>
  `${(share * 100).toFixed(share >= 0.9995 || share < 0.0005 ? 2 : 1).replace(/\.0+$/, '')} %`;

export const seconds = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;

export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** `timeout 3, http_503 1`, or the word for none. */
export const counts = (by: Record<string, number>, none = '0'): string =>
  Object.entries(by)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${count(value)}`)
    .join(', ') || none;

/** Places as people call them. */
const PLACES: Record<string, string> = {
  combiner: 'combiner queue',
  pool: 'connection pool',
  redlock: 'Redlock',
  user_row: 'user row',
  coupon_row: 'coupon row',
  stock_row: 'stock row',
};
export const place = (at: string): string => PLACES[at] ?? at.replaceAll('_', ' ');

export const API_TITLES: Record<string, string> = {
  coupon: 'Coupon issue',
  charge: 'Balance charge',
  order: 'Order and payment',
};
export const apiTitle = (api: string): string => API_TITLES[api] ?? api;
