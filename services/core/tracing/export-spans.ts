import { hostname } from 'node:os';
import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, type InstrumentationScope } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { Role } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import { VERSION } from '../version.ts';
import { FileExporter } from './file-exporter.ts';
import type { Span } from './span.ts';
import type { TraceContext } from './trace-context.ts';

/*
 * The one file that knows OpenTelemetry's SDK, loaded only where spans go somewhere: it costs 23 MiB and 0.2 s of CPU at
 * start. The SDK's parts are used by themselves: @opentelemetry/sdk-node would bring gRPC, Zipkin, logs and metrics with it
 * (36 MiB, 0.35 s), and its tracer makes spans while they run, which nearly all requests do not need.
 */

export interface ExportOptions {
  to: 'otlp' | 'file';
  /** Where files go. */
  directory: string;
  namespace: string;
  metrics: Pick<Metrics, 'spans'>;
}

export interface SpanSink {
  write(spans: Span[]): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Spans that wait for the exporter; more are dropped and counted. */
const QUEUE = 8_192;

/** OTLP's endpoint, headers and so on are read by its exporter from the standard variables (OTEL_EXPORTER_OTLP_…). */
export function exportSpans({ to, directory, namespace, metrics }: ExportOptions): SpanSink {
  const target: SpanExporter = to === 'otlp' ? new OTLPTraceExporter() : new FileExporter(directory);
  let waiting = 0;
  const exporter: SpanExporter = {
    export(spans, done) {
      target.export(spans, (result: ExportResult) => {
        waiting -= spans.length;
        metrics.spans.inc({ result: result.code === ExportResultCode.SUCCESS ? 'exported' : 'failed' }, spans.length);
        done(result);
      });
    },
    shutdown: () => target.shutdown(),
  };
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: QUEUE, scheduledDelayMillis: 1_000 });
  const attributes = given(process.env.OTEL_RESOURCE_ATTRIBUTES);
  const resources = new Map<Role, Resource>();
  const resourceOf = (role: Role) => {
    let resource = resources.get(role);
    if (!resource) {
      resource = resourceFromAttributes({
        'service.name': role,
        'service.namespace': namespace,
        'service.version': VERSION,
        'service.instance.id': `${hostname()}:${process.pid}`,
        ...attributes,
      });
      resources.set(role, resource);
    }
    return resource;
  };
  return {
    write(spans) {
      if (waiting + spans.length > QUEUE) {
        metrics.spans.inc({ result: 'dropped' }, spans.length);
        return;
      }
      waiting += spans.length;
      for (const span of spans) processor.onEnd(readable(span, resourceOf(span.role)));
    },
    close: () => processor.shutdown().catch(() => {}),
  };
}

/** `key=value,key=value`, as the standard writes it. A value that is not percent-encoded is taken as it is. */
function given(text = ''): Attributes {
  const pairs = text.split(',').flatMap((pair) => {
    const [, key, value] = /^\s*([^=\s]+)\s*=(.*)$/.exec(pair) ?? [];
    return key === undefined || value === undefined ? [] : [[key, decoded(value.trim())]];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const SCOPE: InstrumentationScope = { name: 'onrush', version: VERSION };

const contextOf = ({ traceId, spanId }: TraceContext) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });

function readable(span: Span, resource: Resource): ReadableSpan {
  const context = contextOf(span);
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(span.parent ? { parentSpanContext: { ...contextOf(span.parent), isRemote: span.kind !== 'internal' } } : {}),
    startTime: hrTime(span.from),
    endTime: hrTime(span.to),
    duration: hrTime(span.to - span.from),
    ended: true,
    status:
      span.failure === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: span.failure },
    attributes: span.attributes,
    links: (span.links ?? []).map((link) => ({ context: contextOf(link) })),
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function hrTime(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
