import type { Operation, RowPlace, TransactionOutcome } from './metrics.ts';
import type { TraceContext } from './tracing/trace-context.ts';

/**
 * A part of a transaction: waiting for a connection, statements that lock rows of one kind, other statements, the COMMIT
 * (with the statements that travel with it), the pause before the whole of it is run again.
 */
export interface Step {
  name: 'pool' | RowPlace | 'statements' | 'commit' | 'rollback' | 'retry';
  /** By performance.now(). */
  from: number;
  to: number;
  /** Why it is run again, or the engine's error code. */
  reason?: string;
}

/**
 * What happened to a transaction, noted while it runs. Spans are written from it afterwards, and only if one of the
 * requests that it serves is traced: noting costs a small object a step, a span ten times that.
 */
export class TransactionRecord {
  readonly operation: Operation;
  /** Requests, messages or events that it serves. */
  readonly size: number;
  readonly steps: Step[] = [];
  outcome: TransactionOutcome | undefined;
  /** Its span, once one was written. */
  span: TraceContext | undefined;
  over = false;
  #waiting: (() => void)[] | undefined;

  constructor(operation: Operation, size: number) {
    this.operation = operation;
    this.size = size;
  }

  note(name: Step['name'], from: number, reason?: string): void {
    const to = performance.now();
    this.steps.push(reason === undefined ? { name, from, to } : { name, from, to, reason });
  }

  /** Nothing follows: no other attempt either. */
  end(): void {
    this.over = true;
    for (const call of this.#waiting ?? []) call();
    this.#waiting = undefined;
  }

  /** Calls once the transaction is over. A request whose deadline has passed is answered before that. */
  whenOver(call: () => void): void {
    if (this.over) call();
    else this.#waiting = [...(this.#waiting ?? []), call];
  }
}
