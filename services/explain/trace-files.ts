import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SeenSpan, TraceStore } from './seen-span.ts';

/** OTLP in JSON, as far as it is read here. */
interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean };
}
interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attribute[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number; message?: string };
}
interface OtlpBatch {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

/** The spans that processes of this checkout have written into files. */
export function traceFiles(directory: string): TraceStore {
  /** Lines without the text hold nothing that is asked for and are not parsed. */
  async function* spansNear(text: string): AsyncGenerator<SeenSpan> {
    if (!existsSync(directory)) return;
    for (const name of readdirSync(directory).sort()) {
      if (!name.endsWith('.jsonl')) continue;
      const lines = createInterface({
        input: createReadStream(join(directory, name)),
        crlfDelay: Number.POSITIVE_INFINITY,
      });
      for await (const line of lines) if (line.includes(text)) yield* spansOf(line);
    }
  }
  return {
    where: directory,
    async ofTrace(traceId) {
      const spans: SeenSpan[] = [];
      for await (const span of spansNear(traceId)) if (span.traceId === traceId) spans.push(span);
      return spans;
    },
    async having(attribute, value) {
      const found = new Map<string, number>();
      for await (const span of spansNear(JSON.stringify(value)))
        if (span.attributes[attribute] === value) found.set(span.traceId, span.from);
      return [...found].sort(([, a], [, b]) => a - b).map(([traceId]) => traceId);
    },
  };
}

function spansOf(line: string): SeenSpan[] {
  let batch: OtlpBatch;
  try {
    batch = JSON.parse(line) as OtlpBatch;
  } catch {
    // The end of a file whose process was killed while it wrote.
    return [];
  }
  return batch.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name'] ?? '');
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => seen(span, service)));
  });
}

const milliseconds = (nanoseconds: string) => Number(BigInt(nanoseconds) / 1000n) / 1000;

const seen = (span: OtlpSpan, service: string): SeenSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId || undefined,
  service,
  name: span.name,
  from: milliseconds(span.startTimeUnixNano),
  to: milliseconds(span.endTimeUnixNano),
  attributes: valuesOf(span.attributes ?? []),
  links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
  failure: span.status?.code === 2 ? (span.status.message ?? 'failed') : undefined,
});

function valuesOf(attributes: Attribute[]): SeenSpan['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? boolValue ?? doubleValue ?? Number(intValue),
    ]),
  );
}
