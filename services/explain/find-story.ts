import type { SeenSpan, TraceStore } from './seen-span.ts';

/** One request's spans: those of its own trace, and of transactions that it shared with others and that lie in theirs. */
export interface Story {
  traceId: string;
  own: SeenSpan[];
  shared: SeenSpan[];
}

export async function findStory(store: TraceStore, traceId: string): Promise<Story> {
  const all = await store.ofTrace(traceId);
  // The trace may hold more than one request, where the caller traced several calls under one id.
  const own = all.sort((a, b) => a.from - b.from || b.to - a.to);
  const elsewhere = own.flatMap(({ links }) => links).filter((link) => link.traceId !== traceId);
  const shared: SeenSpan[] = [];
  for (const link of elsewhere) {
    if (shared.some(({ spanId }) => spanId === link.spanId)) continue;
    const theirs = await store.ofTrace(link.traceId);
    const transaction = theirs.find(({ spanId }) => spanId === link.spanId);
    // A link may also lead to the others of a batch, which are no part of this request's story.
    if (!transaction?.name.startsWith('transaction ')) continue;
    shared.push(transaction, ...theirs.filter(({ parentSpanId }) => parentSpanId === link.spanId));
  }
  return { traceId, own, shared };
}
