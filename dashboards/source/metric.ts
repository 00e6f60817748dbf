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
  readonly only?: Engine;
}

export type Engine = 'MySQL' | 'MariaDB';

export interface HistogramMetric<L extends string> extends Metric<L> {
  readonly histogram: true;
}

type Declared<L extends string> = string extends L ? never : L;
type Inside = { name: string; labelNames: readonly string[] };

/** A metric of ours, from its definition: a name or label that is not there does not compile. */
export function own<L extends string>(metric: Histogram<L>, origin?: Origin): HistogramMetric<Declared<L>>;
export function own<L extends string>(metric: Counter<L> | Gauge<L>, origin?: Origin): Metric<Declared<L>>;
export function own<L extends string>(
  metric: Counter<L> | Gauge<L> | Histogram<L>,
  origin: Origin = 'program',
): Metric<Declared<L>> {
  const { name, labelNames } = metric as unknown as Inside;
  const labels = labelNames as readonly Declared<L>[];
  return { name, origin, labels, ...('buckets' in metric ? { histogram: true } : {}) };
}

/** A metric that an engine has and its like has not. */
export const only = <L extends string>(engine: Engine, metric: Metric<L>): Metric<L> => ({ ...metric, only: engine });

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
