/** One reading of /metrics: series by name, each with its labels. */
export type Reading = Map<string, { labels: Record<string, string>; value: number }[]>;

/** Parses Prometheus' text format. */
export function parseExposition(text: string): Reading {
  const reading: Reading = new Map();
  for (const line of text.split('\n')) {
    const [, name, labels, value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (!name || value === undefined) continue;
    const series = reading.get(name) ?? [];
    series.push({ labels: parseLabels(labels ?? ''), value: Number(value.replace('Inf', 'Infinity')) });
    reading.set(name, series);
  }
  return reading;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) if (name) labels[name] = value ?? '';
  return labels;
}

type Labels = Record<string, string>;
const matches = (labels: Labels, wanted: Labels) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

/** Sum of the series that have these labels. */
export function sum(reading: Reading, name: string, wanted: Labels = {}): number {
  return (reading.get(name) ?? []).reduce(
    (total, { labels, value }) => total + (matches(labels, wanted) ? value : 0),
    0,
  );
}

/** What a counter grew by. */
export const growth = (before: Reading, after: Reading, name: string, wanted: Labels = {}): number =>
  sum(after, name, wanted) - sum(before, name, wanted);

export function labelValues(reading: Reading, name: string, label: string): string[] {
  return [...new Set((reading.get(name) ?? []).map(({ labels }) => labels[label] ?? ''))];
}

/** Observations between two readings: how many were at most `le`, for each edge in rising order; the last is Infinity. */
export interface Observed {
  count: number;
  sum: number;
  buckets: { le: number; count: number }[];
}

export function observed(before: Reading | undefined, after: Reading, name: string, wanted: Labels = {}): Observed {
  const none: Reading = new Map();
  const from = before ?? none;
  const edges = labelValues(after, `${name}_bucket`, 'le').map((le) => ({
    le: Number(le.replace('+Inf', 'Infinity')),
    text: le,
  }));
  return {
    count: growth(from, after, `${name}_count`, wanted),
    sum: growth(from, after, `${name}_sum`, wanted),
    buckets: edges
      .sort((a, b) => a.le - b.le)
      .map(({ le, text }) => ({ le, count: growth(from, after, `${name}_bucket`, { ...wanted, le: text }) })),
  };
}

/**
 * The q-quantile by even spread within its bucket, as PromQL's histogram_quantile; undefined without observations.
 * Above the last edge it is that edge: read it as "at least".
 */
export function quantile({ count, buckets }: Observed, q: number): number | undefined {
  if (count === 0) return undefined;
  const rank = q * count;
  let lower = 0;
  let below = 0;
  for (const { le, count: atMost } of buckets) {
    if (atMost >= rank) {
      if (le === Number.POSITIVE_INFINITY) return lower;
      return atMost === below ? le : lower + ((le - lower) * (rank - below)) / (atMost - below);
    }
    lower = le;
    below = atMost;
  }
  return lower;
}
