import { ROLES } from '../core/config.ts';
import type { SeenSpan, TraceStore } from './seen-span.ts';

/** A trace as Jaeger's query API writes it, as far as it is read here. */
interface Tag {
  key: string;
  value: string | number | boolean;
}
interface JaegerTrace {
  spans: {
    traceID: string;
    spanID: string;
    operationName: string;
    references: { refType: 'CHILD_OF' | 'FOLLOWS_FROM'; traceID: string; spanID: string }[];
    /** Microseconds since the epoch. */
    startTime: number;
    duration: number;
    tags: Tag[];
    processID: string;
  }[];
  processes: Record<string, { serviceName: string }>;
}

/** How far back a search goes. Milliseconds. */
const LOOKBACK = 48 * 3600 * 1000;

/** Jaeger, or Tempo behind its Jaeger-compatible query service, at `url`. */
export function jaeger(url: string): TraceStore {
  const ask = async (path: string): Promise<JaegerTrace[]> => {
    const answer = await fetch(`${url.replace(/\/$/, '')}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (answer.status === 404) return [];
    if (!answer.ok) throw new Error(`${url} answered ${answer.status} to ${path}`);
    return ((await answer.json()) as { data: JaegerTrace[] | null }).data ?? [];
  };
  return {
    where: url,
    async ofTrace(traceId) {
      return (await ask(`/api/traces/${traceId}`)).flatMap(spansOf);
    },
    async having(attribute, value) {
      const tags = encodeURIComponent(JSON.stringify({ [attribute]: value }));
      // A search names its service; requests come in through the APIs only.
      const apis = ROLES.filter((role) => role.endsWith('-api'));
      const until = Date.now();
      const period = `start=${(until - LOOKBACK) * 1000}&end=${until * 1000}`;
      const found = await Promise.all(
        apis.map((api) => ask(`/api/traces?service=${api}&tags=${tags}&${period}&limit=20`)),
      );
      const spans = found
        .flat()
        .flatMap(spansOf)
        .filter(({ attributes }) => attributes[attribute] === value);
      return [...new Set(spans.sort((a, b) => a.from - b.from).map(({ traceId }) => traceId))];
    },
  };
}

function spansOf({ spans, processes }: JaegerTrace): SeenSpan[] {
  return spans.map((span) => {
    const attributes = Object.fromEntries(span.tags.map(({ key, value }) => [key, value]));
    const inTrace = ({ traceID }: { traceID: string }) => traceID.padStart(32, '0') === span.traceID.padStart(32, '0');
    const parent = span.references.find((reference) => reference.refType === 'CHILD_OF' && inTrace(reference));
    return {
      traceId: span.traceID.padStart(32, '0'),
      spanId: span.spanID,
      parentSpanId: parent?.spanID,
      service: processes[span.processID]?.serviceName ?? '',
      name: span.operationName,
      from: span.startTime / 1000,
      to: (span.startTime + span.duration) / 1000,
      attributes,
      links: span.references
        .filter((reference) => reference !== parent)
        .map(({ traceID, spanID }) => ({ traceId: traceID.padStart(32, '0'), spanId: spanID })),
      failure: attributes.error === true ? String(attributes['otel.status_description'] ?? 'failed') : undefined,
    };
  });
}
