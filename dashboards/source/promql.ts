import type { HistogramMetric, Metric, Origin, Scraped } from './metric.ts';

/*
 * Just enough of PromQL to write every query of the dashboards and alerts, typed by labels: matching or grouping by one
 * that the metric does not have does not compile.
 */

/** An expression that yields one value for each set of these labels. */
export interface Vector<L extends string> {
  readonly text: string;
  /** It ends in an operator's operand, so that another operator needs parentheses around it. */
  readonly compound?: true;
  /** Only for the compiler. */
  readonly labels?: { [K in L]: true };
}

/** Each series' values of a time. */
export interface Range<L extends string> {
  readonly range: string;
  readonly labels?: { [K in L]: true };
}

/** `text` is matched as a whole, as by Prometheus. */
export interface Pattern {
  readonly pattern: string;
  readonly not?: boolean;
}
export const like = (pattern: string): Pattern => ({ pattern });
export const unlike = (pattern: string): Pattern => ({ pattern, not: true });
export type Match<L extends string> = { readonly [K in L | Scraped]?: string | Pattern };

/** By what each origin's metrics are narrowed: a dashboard's variables, or an alert's namespace. */
export type Scope = Readonly<Record<Origin, string>>;

export const DASHBOARD: Scope = {
  program: 'namespace=~"$namespace",service=~"$service",pod=~"$pod"',
  engine: 'namespace=~"$namespace"',
  run: 'run=~"$run"',
};

/** The chart puts its release's namespace here. */
export const ANY_NAMESPACE = 'namespace=~".+"';
export const ALERT: Scope = { program: ANY_NAMESPACE, engine: ANY_NAMESPACE, run: '' };

/** A panel's rates are taken over what its width and Prometheus's interval make sensible. */
const PANEL_WINDOW = '$__rate_interval';

export function queries(scope: Scope) {
  function series(name: string, origin: Origin, match: object): string {
    const own = Object.entries(match as Record<string, string | Pattern>).map(([label, wanted]) =>
      typeof wanted === 'string'
        ? `${label}=${JSON.stringify(wanted)}`
        : `${label}${wanted.not ? '!~' : '=~'}${JSON.stringify(wanted.pattern)}`,
    );
    return `${name}{${[scope[origin], ...own].filter(Boolean).join(',')}}`;
  }

  const value = <L extends string>(metric: Metric<L>, match: Match<L> = {}): Vector<L | Scraped> => ({
    text: series(metric.name, metric.origin, match),
  });

  /** The value as it was. */
  const before = <L extends string>(metric: Metric<L>, ago: string, match: Match<L> = {}): Vector<L | Scraped> => ({
    text: `${value(metric, match).text} offset ${ago}`,
  });

  /** All values of a time, for overTime. */
  const range = <L extends string>(metric: Metric<L>, match: Match<L>, window: string): Range<L | Scraped> => ({
    range: `${value(metric, match).text}[${window}]`,
  });

  /** Growth a second; of a histogram, how often it was observed. */
  const rate = <L extends string>(
    metric: Metric<L>,
    match: Match<L> = {},
    window = PANEL_WINDOW,
  ): Vector<L | Scraped> => ({ text: `rate(${counterOf(metric, match)}[${window}])` });

  const increase = <L extends string>(metric: Metric<L>, match: Match<L>, window: string): Vector<L | Scraped> => ({
    text: `increase(${counterOf(metric, match)}[${window}])`,
  });

  const counterOf = <L extends string>(metric: Metric<L>, match: Match<L>): string =>
    series('histogram' in metric ? `${metric.name}_count` : metric.name, metric.origin, match);

  /** A histogram's sum of what was observed, as growth a second: seconds waited a second. */
  const rateOfSum = <L extends string>(
    metric: HistogramMetric<L>,
    match: Match<L> = {},
    window = PANEL_WINDOW,
  ): Vector<L | Scraped> => ({ text: `rate(${series(`${metric.name}_sum`, metric.origin, match)}[${window}])` });

  /** The quantile, guessed between the bucket's edges. */
  const quantile = <L extends string, B extends L | Scraped = never>(
    q: number,
    metric: HistogramMetric<L>,
    match: Match<L> = {},
    by: readonly B[] = [],
    window = PANEL_WINDOW,
  ): Vector<B> => ({
    text: `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (rate(${series(
      `${metric.name}_bucket`,
      metric.origin,
      match,
    )}[${window}])))`,
  });

  /** Observations a second at or below one of the histogram's edges: counted, not guessed. */
  const rateWithin = <L extends string>(
    edge: number,
    metric: HistogramMetric<L>,
    match: Match<L>,
    window = PANEL_WINDOW,
  ): Vector<L | Scraped> => {
    // Prometheus writes whole edges as 1.0 from version 3 on, the program as 1.
    const le = Number.isInteger(edge) ? like(`${edge}(\\.0)?`) : String(edge);
    return {
      text: `rate(${series(`${metric.name}_bucket`, metric.origin, { ...match, le })}[${window}])`,
    };
  };

  return { value, before, range, rate, increase, rateOfSum, quantile, rateWithin };
}

function aggregate(how: string) {
  return <L extends string, B extends L = never>(of: Vector<L>, by: readonly B[] = []): Vector<B> => ({
    text: `${how}${by.length > 0 ? ` by (${by.join(', ')})` : ''} (${of.text})`,
  });
}
export const sum = aggregate('sum');
export const max = aggregate('max');
export const min = aggregate('min');
export const average = aggregate('avg');
export const count = aggregate('count');

/** Each series' smallest, largest, average, summed or last value of a time. */
export const overTime = <L extends string>(how: 'min' | 'max' | 'avg' | 'sum' | 'last', of: Range<L>): Vector<L> => ({
  text: `${how}_over_time(${of.range})`,
});

type Operand<L extends string> = Vector<L> | number;

const written = (operand: Operand<string>): string =>
  typeof operand === 'number' ? String(operand) : operand.compound ? `(${operand.text})` : operand.text;

const binary =
  (operator: string) =>
  <L extends string>(left: Operand<L>, right: Operand<L>): Vector<L> => ({
    text: `${written(left)} ${operator} ${written(right)}`,
    compound: true,
  });
export const divide = binary('/');
export const times = binary('*');
export const minus = binary('-');
export const plus = binary('+');
export const above = binary('>');
export const below = binary('<');
export const equals = binary('==');
export const and = binary('and');
export const or = binary('or');
export const unless = binary('unless');

/** Only of processes of which the other expression tells, too. */
export const alongside = <L extends Scraped>(of: Vector<L>, other: Vector<Scraped>): Vector<L> => ({
  text: `${written(of)} and on (namespace, service, pod) ${other.text}`,
  compound: true,
});

/** Zero where the expression has no value at all. */
export const orZero = (of: Vector<never>): Vector<never> => ({ text: `${written(of)} or vector(0)`, compound: true });

/** Keeps a divisor from being zero. */
export const atLeast = <L extends string>(of: Vector<L>, least: number): Vector<L> => ({
  text: `clamp_min(${of.text}, ${least})`,
});
