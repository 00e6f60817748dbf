import type { Counter, Gauge, Histogram } from 'prom-client';

/** Labels that scraping adds to whatever a program tells. */
export type Scraped = 'namespace' | 'service' | 'pod';

/**
 * Whose metric it is, which decides by what a dashboard's variables narrow it: the program's processes, one of the engines
 * (or what Kubernetes tells), a load run.
 */
export type Origin = 'program' | 'engine' | 'run';

/** A metric with the labels that its source gives it; `L` is what queries may match and group by. */
export interface Metric<L extends string> {
  readonly name: string;
  readonly origin: Origin;
  readonly labels: readonly L[];
}

export interface HistogramMetric<L extends string> extends Metric<L> {
  readonly histogram: true;
}

type Declared<L extends string> = string extends L ? never : L;
type Inside = { name: string; labelNames: readonly string[] };

/** The program's own metric: a name or label that services/core/metrics.ts does not have does not compile. */
export function own<L extends string>(metric: Histogram<L>): HistogramMetric<Declared<L>>;
export function own<L extends string>(metric: Counter<L> | Gauge<L>): Metric<Declared<L>>;
export function own<L extends string>(metric: Counter<L> | Gauge<L> | Histogram<L>): Metric<Declared<L>> {
  const { name, labelNames } = metric as unknown as Inside;
  const labels = labelNames as readonly Declared<L>[];
  return { name, origin: 'program', labels, ...('buckets' in metric ? { histogram: true } : {}) };
}

export const foreign = <L extends string = never>(origin: Origin, name: string, ...labels: L[]): Metric<L> => ({
  name,
  origin,
  labels,
});

export const foreignHistogram = <L extends string = never>(
  origin: Origin,
  name: string,
  ...labels: L[]
): HistogramMetric<L> => ({ name, origin, labels, histogram: true });
