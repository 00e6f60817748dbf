import type { FoundRow } from './find-rows.ts';
import type { Story } from './find-story.ts';
import type { SeenSpan } from './seen-span.ts';

const BAR = 32;

/** The story as text: who did what when, each indented under what it was part of, and where the time went. */
export function printStory({ traceId, own, shared }: Story): string {
  const all = [...own, ...shared];
  const begin = Math.min(...all.map(({ from }) => from));
  const end = Math.max(...all.map(({ to }) => to));
  const lines: string[] = [`trace ${traceId}, from ${new Date(begin).toISOString()}`, ''];
  const names = [...own, ...shared].map((span) => span.name.length);
  const width = Math.min(60, Math.max(...names) + 6);
  const line = (span: SeenSpan, depth: number) =>
    [
      `${`+${(span.from - begin).toFixed(1)}`.padStart(9)} ms`,
      `${(span.to - span.from).toFixed(1).padStart(8)} ms`,
      bar(span, begin, end),
      span.service.padEnd(17),
      `${'  '.repeat(depth)}${span.name}`.padEnd(width),
      remarks(span),
    ].join('  ');
  const print = (spans: SeenSpan[], of: (span: SeenSpan) => boolean, depth: number) => {
    for (const span of spans.filter(of)) {
      lines.push(line(span, depth).trimEnd());
      print(spans, ({ parentSpanId }) => parentSpanId === span.spanId, depth + 1);
    }
  };
  const known = new Set(own.map(({ spanId }) => spanId));
  print(own, ({ parentSpanId }) => parentSpanId === undefined || !known.has(parentSpanId), 0);
  if (shared.length > 0) {
    lines.push('', `shared with other requests, in the trace of one of them:`);
    print(shared, ({ name }) => name.startsWith('transaction '), 0);
  }
  lines.push('', ...whereTimeWent(all));
  return lines.join('\n');
}

function bar({ from, to }: SeenSpan, begin: number, end: number): string {
  const whole = Math.max(end - begin, 0.001);
  const first = Math.min(BAR - 1, Math.floor(((from - begin) / whole) * BAR));
  const last = Math.max(first + 1, Math.min(BAR, Math.ceil(((to - begin) / whole) * BAR)));
  return `${'·'.repeat(first)}${'█'.repeat(last - first)}${'·'.repeat(BAR - last)}`;
}

/** What is worth a word, by the attribute that holds it. */
const WORDS: Record<string, (value: string | number | boolean) => string> = {
  'http.response.status_code': (status) => `→ ${status}`,
  'onrush.refusal': (code) => `refused ${code}`,
  'onrush.replayed': () => 'replayed',
  'onrush.traced': (why) => `(${why})`,
  'onrush.user_id': (id) => `user ${id}`,
  'onrush.coupon_id': (id) => `coupon ${id}`,
  'onrush.order_id': (id) => `order ${id}`,
  'onrush.idempotency_key': (key) => `key ${key}`,
  'onrush.admission': (result) => String(result),
  'onrush.stream_id': (id) => `stream id ${id}`,
  'onrush.lock': (state) => String(state),
  'messaging.destination.partition.id': (partition) => `partition ${partition}`,
  'messaging.kafka.offset': (offset) => `offset ${offset}`,
  'onrush.result': (result) => `→ ${result}`,
  'onrush.batch_size': (size) => `batch of ${size}`,
  'onrush.outcome': (outcome) => String(outcome),
  'onrush.retries': (retries) => `${retries} retries`,
  'onrush.reason': (reason) => String(reason),
};

function remarks({ attributes, failure }: SeenSpan): string {
  const words = Object.entries(WORDS).flatMap(([name, word]) => {
    const value = attributes[name];
    return value === undefined ? [] : [word(value)];
  });
  return [...words, ...(failure === undefined ? [] : [`FAILED: ${failure}`])].join(' · ');
}

/**
 * Sums by name of everything that has no parts of its own, the longest first: of what the client waited for, and of what
 * came after its answer.
 */
function whereTimeWent(spans: SeenSpan[]): string[] {
  // What another role went on from is no whole of it: a gate's answer, a message sent.
  const service = new Map(spans.map((span) => [span.spanId, span.service]));
  const parents = new Set(
    spans
      .filter((span) => span.parentSpanId !== undefined && service.get(span.parentSpanId) === span.service)
      .map(({ parentSpanId }) => parentSpanId),
  );
  const request = spans.find(({ attributes }) => attributes['http.route'] !== undefined);
  const parts = spans.filter((span) => span !== request && !parents.has(span.spanId));
  const waitedFor = parts.filter((span) => request && span.service === request.service && span.from <= request.to);
  const later = parts.filter((span) => !waitedFor.includes(span));
  const known = waitedFor.reduce((sum, { from, to }) => sum + to - from, 0);
  const rest = request ? Math.max(0, request.to - request.from - known) : 0;
  return [
    ...(request ? [`until the answer: ${sums(waitedFor, rest)}`] : []),
    ...(later.length > 0 ? [`${request ? 'after it' : 'in all'}: ${sums(later, 0)}`] : []),
  ];
}

function sums(spans: SeenSpan[], rest: number): string {
  const byName = new Map<string, number>();
  for (const { name, from, to } of spans) byName.set(name, (byName.get(name) ?? 0) + to - from);
  const sorted = [...byName].sort(([, a], [, b]) => b - a);
  if (rest > 0) sorted.push(['reading, checking and writing HTTP', rest]);
  return sorted.map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(', ');
}

export function printRows(rows: FoundRow[]): string {
  const text = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value));
  return rows
    .map(({ table, values }) => {
      const pairs = Object.entries(values).map(([name, value]) => `${name}=${text(value)}`);
      return `  ${table.padEnd(23)} ${pairs.join(' ')}`;
    })
    .join('\n');
}
