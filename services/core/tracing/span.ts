import type { Attributes } from '@opentelemetry/api';
import type { Role } from '../config.ts';
import type { TraceContext } from './trace-context.ts';

/** A span as it is written: once, when all of it is over. */
export interface Span extends TraceContext {
  /** Who did it; every role is a service of its own to the trace store, also where they share a process. */
  role: Role;
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  parent?: TraceContext | undefined;
  links?: TraceContext[];
  /** Milliseconds since the epoch, with fractions. */
  from: number;
  to: number;
  attributes: Attributes;
  /** What went wrong, if anything did. */
  failure?: string | undefined;
}
