import type { Colour } from './colours.ts';
import type { Vector } from './promql.ts';

/** Units as Grafana calls them. */
export type Unit =
  | 'short'
  | 's'
  | 'reqps'
  | 'ops'
  | 'percentunit'
  | 'bytes'
  | 'Bps'
  | 'currencyKRW'
  | 'locale'
  | 'dateTimeAsIso';

export interface Query {
  // biome-ignore lint/suspicious/noExplicitAny: a panel shows whatever labels its expression has
  expr: Vector<any>;
  /** `{{label}}` stands for the label's value. */
  legend: string;
  colour?: Colour;
  /** Exemplars lead from the histogram to the traces of single requests. */
  exemplars?: boolean;
}

interface Shared {
  title: string;
  /** One line: what a bad picture means, and what to do then. */
  description: string;
  /** Of 24 columns. */
  width: number;
  height?: number;
  unit: Unit;
  decimals?: number;
  /** Why there may be nothing to show although all is well; every other panel must show something in a normal run. */
  mayBeEmpty?: string;
}

export interface Limit {
  at: number;
  /** Whether values above it are bad, or those below it. */
  bad: 'above' | 'below';
}

/** Lines over time. */
export interface Chart extends Shared {
  kind: 'chart';
  queries: Query[];
  limit?: Limit;
  /** Values of the label in the legend, in the order of their colours. */
  names?: readonly string[];
  stacked?: boolean;
  max?: number;
  /** Name of a line at zero while there is nothing to show, which is good news and no broken panel. */
  none?: string;
}

/** One number for each query, coloured by the limits. */
export interface Stat extends Shared {
  kind: 'stat';
  queries: Query[];
  /** Good until here, and bad from there: in between it asks for attention. */
  limits?: { attention: number; bad: number };
  /** Instead of a number where there is none. */
  none?: string;
  /** Words for values. */
  words?: Record<number, { text: string; colour: Colour }>;
}

/** Horizontal bars, one for each series. */
export interface Bars extends Shared {
  kind: 'bars';
  queries: Query[];
  limits?: { attention: number; bad: number };
  max?: number;
  /** As in a chart. */
  none?: string;
}

/** Rows of labels and a value. */
export interface Table extends Shared {
  kind: 'table';
  query: Query;
  /** Labels that are shown, and the headings of their columns; then the value's heading. */
  columns: Record<string, string>;
  value: string;
}

export type Panel = Chart | Stat | Bars | Table;

export interface Row {
  title: string;
  /** Closed until somebody opens it. */
  collapsed?: boolean;
  panels: Panel[];
}

export interface DashboardSpec {
  /** Also the file's name. */
  uid: string;
  title: string;
  description: string;
  rows: Row[];
}

export const queriesOf = (panel: Panel): Query[] => (panel.kind === 'table' ? [panel.query] : panel.queries);
