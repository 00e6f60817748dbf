import { newSpanId, newTraceId } from '../ids.ts';
import type { Outcome } from '../refusals.ts';
import type { TransactionRecord } from '../transaction-record.ts';
import type { TraceContext } from './trace-context.ts';

/** Something a request waited for outside of a transaction. */
export interface Part {
  name: 'gate' | 'wait combiner' | 'wait redlock';
  /** By performance.now(). */
  from: number;
  to: number;
  context?: TraceContext;
  attributes?: Record<string, string | number>;
}

/** What the handler was given, as far as a span tells it. */
export interface Asked {
  params: unknown;
  body: unknown;
  key: string | undefined;
}

/**
 * What is known of a running request. Every request has one; spans are written from it when the request has ended, if it
 * is sampled, was slow or failed. Ids are made when somebody needs them.
 */
export class RequestTrace implements TraceContext {
  /** By performance.now(). */
  readonly started: number;
  /** Whether spans are written however the request ends; passed on to those who work on it later. */
  readonly sampled: boolean;
  /** The caller's span, if it sent one. */
  readonly parent: TraceContext | undefined;
  asked: Asked | undefined;
  /** The key that a write runs under whose client gave none. */
  madeUpKey: string | undefined;
  outcome: Outcome<unknown> | undefined;
  readonly parts: Part[] = [];
  readonly transactions: TransactionRecord[] = [];
  #queuedSince: number | undefined;
  #traceId: string | undefined;
  #spanId: string | undefined;

  constructor(started: number, sampled: boolean, parent: TraceContext | undefined) {
    this.started = started;
    this.sampled = sampled;
    this.parent = parent;
  }

  get traceId(): string {
    this.#traceId ??= this.parent?.traceId ?? newTraceId();
    return this.#traceId;
  }

  /** Of the request's own span. */
  get spanId(): string {
    this.#spanId ??= newSpanId();
    return this.#spanId;
  }

  /** The request's span, for others to go on from, if it will be written whatever happens. */
  get recorded(): TraceContext | undefined {
    return this.sampled ? { traceId: this.traceId, spanId: this.spanId } : undefined;
  }

  note(name: Part['name'], from: number, attributes?: Part['attributes'], context?: TraceContext): void {
    this.parts.push({
      name,
      from,
      to: performance.now(),
      ...(attributes && { attributes }),
      ...(context && { context }),
    });
  }

  queued(since: number): void {
    this.#queuedSince = since;
  }

  /** The request has left its queue for a transaction, or because it waited for too long. */
  dequeued(): void {
    if (this.#queuedSince !== undefined) this.note('wait combiner', this.#queuedSince);
    this.#queuedSince = undefined;
  }
}
