/** A span as a trace store gives it back. */
export interface SeenSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** The role that wrote it. */
  service: string;
  name: string;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  attributes: Record<string, string | number | boolean>;
  links: { traceId: string; spanId: string }[];
  failure: string | undefined;
}

export interface TraceStore {
  /** Where it looks, for the reader. */
  where: string;
  ofTrace(traceId: string): Promise<SeenSpan[]>;
  /** Ids of traces with a span that has this attribute, the newest last. */
  having(attribute: string, value: string): Promise<string[]>;
}
