import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it came over the wire. */
export interface ReceivedSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: Record<string, string | number | boolean>;
  links: { traceId: string; spanId: string }[];
}

export interface OtlpReceiver {
  endpoint: string;
  spans: ReceivedSpan[];
  close(): void;
}

/** Takes traces as a collector does: OTLP over HTTP in protobuf. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server: Server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const wanted = req.url === '/v1/traces' && req.headers['content-type'] === 'application/x-protobuf';
      if (wanted) spans.push(...readTraces(Buffer.concat(parts)));
      res.writeHead(wanted ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The fields of a protobuf message by number; groups do not occur. */
function fields(message: Buffer): Map<number, (Buffer | bigint)[]> {
  const found = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number) => {
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const type = tag & 7;
    const value = type === 0 ? varint() : bytes(type === 1 ? 8 : type === 5 ? 4 : Number(varint()));
    found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), value]);
  }
  return found;
}

const messages = (of: Map<number, (Buffer | bigint)[]>, field: number) => (of.get(field) ?? []) as Buffer[];
const hex = (of: Map<number, (Buffer | bigint)[]>, field: number) => messages(of, field)[0]?.toString('hex') ?? '';
const text = (of: Map<number, (Buffer | bigint)[]>, field: number) => messages(of, field)[0]?.toString() ?? '';

function readAttributes(list: Buffer[]): ReceivedSpan['attributes'] {
  return Object.fromEntries(
    list.map((pair) => {
      const of = fields(pair);
      const value = fields(messages(of, 2)[0] as Buffer);
      const [string] = messages(value, 1);
      const double = messages(value, 4)[0]?.readDoubleLE();
      const boolean = value.get(2)?.[0];
      const is = string?.toString() ?? double ?? (boolean === undefined ? Number(value.get(3)?.[0]) : boolean === 1n);
      return [text(of, 1), is];
    }),
  );
}

function readTraces(request: Buffer): ReceivedSpan[] {
  return messages(fields(request), 1).flatMap((resourceSpans) => {
    const of = fields(resourceSpans);
    const resource = fields(messages(of, 1)[0] as Buffer);
    const service = String(readAttributes(messages(resource, 1))['service.name']);
    return messages(of, 2).flatMap((scopeSpans) =>
      messages(fields(scopeSpans), 2).map((raw) => {
        const span = fields(raw);
        return {
          service,
          traceId: hex(span, 1),
          spanId: hex(span, 2),
          parentSpanId: hex(span, 4),
          name: text(span, 5),
          attributes: readAttributes(messages(span, 9)),
          links: messages(span, 13).map((link) => ({ traceId: hex(fields(link), 1), spanId: hex(fields(link), 2) })),
        };
      }),
    );
  });
}
