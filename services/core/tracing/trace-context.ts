import { newSpanId } from '../ids.ts';

/** Where in which trace something happened, as W3C Trace Context carries it from process to process. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
}

/** Neither version ff nor ids of zeros; only versions after 00 may append something, which is passed over. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:$|(?<!^00.{53})-)/;

/** The context of a `traceparent` header and whether its sender records it; undefined if it is not a valid one. */
export function readTraceparent(header: unknown): (TraceContext & { sampled: boolean }) | undefined {
  const [, traceId, spanId, flags] = (typeof header === 'string' && TRACEPARENT.exec(header)) || [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Contexts are only passed on where spans are recorded. */
export const traceparent = ({ traceId, spanId }: TraceContext): string => `00-${traceId}-${spanId}-01`;

/** A new span's context in the same trace. */
export const childOf = ({ traceId }: TraceContext): TraceContext => ({ traceId, spanId: newSpanId() });

/** The context that a Redis entry, Kafka header or outbox row holds, if there is one and it is recorded. */
export function recordedContext(text: string | Buffer | (string | Buffer)[] | null | undefined) {
  const context = text === undefined || text === null ? undefined : readTraceparent(text.toString());
  return context?.sampled ? context : undefined;
}
