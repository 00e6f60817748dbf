/** The APIs that loadtests/slo.yaml sets a target for. */
export const API_NAMES = ['coupon', 'charge', 'order'] as const;
export type ApiName = (typeof API_NAMES)[number];

export interface Slo {
  /** Label of the server's request histogram; every one of them is a POST. */
  route: string;
  p95_ms: number;
  tps: number;
  /** Largest share of requests that may fail, 0 to 1. */
  error_rate: number;
}

/**
 * Reads slo.yaml: two levels of `key: value`, comments, nothing else. k6 can import no YAML parser; a test holds this
 * against the real one.
 */
export function parseSlo(text: string): Record<ApiName, Slo> {
  const read: Record<string, Record<string, string | number>> = {};
  let entries: Record<string, string | number> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, indent, key, value] = /^( *)(\w+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined || value === undefined || (indent !== '') === (value === ''))
      throw new Error(`slo.yaml line ${index + 1}: expected "api:" or "  key: value", got "${line}"`);
    if (value === '') {
      entries = {};
      read[key] = entries;
    } else entries[key] = /^[\d.]+$/.test(value) ? Number(value) : value;
  }
  for (const name of API_NAMES) if (!read[name]) throw new Error(`slo.yaml: ${name} is missing`);
  return read as unknown as Record<ApiName, Slo>;
}
