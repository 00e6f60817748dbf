import type { Scraped } from './metric.ts';
import type { Vector } from './promql.ts';

export interface Alert {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: an alert carries whatever labels its expression has
  expr: Vector<any>;
  /** How long it must hold, as Prometheus writes durations. */
  for: string;
  /** `critical`: promises to customers are being broken or will be. `warning`: look at it today. */
  severity: 'critical' | 'warning';
  /** Further labels. */
  labels?: Record<string, string>;
  /** One line, with what is wrong. Prometheus's templates may stand in it. */
  summary: string;
}

/** A series that other rules read. */
export interface Recording {
  record: string;
  // biome-ignore lint/suspicious/noExplicitAny: a record carries whatever labels its expression has
  expr: Vector<any>;
  labels: Record<string, string>;
}

/** What every alert is told for: the installation, which is its namespace. */
export const EACH = ['namespace'] as const satisfies readonly Scraped[];

/** The section of docs/runbooks.md that belongs to an alert, as GitHub makes anchors of headings. */
export const runbookOf = (name: string): string => `docs/runbooks.md#${name.toLowerCase()}`;
