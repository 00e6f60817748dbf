import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSpanId, newTraceId } from '../ids.ts';
import { createMetrics } from '../metrics.ts';
import { exportSpans } from './export-spans.ts';

const directory = mkdtempSync(join(tmpdir(), 'onrush-spans-'));
const before = process.env.OTEL_RESOURCE_ATTRIBUTES;
afterAll(() => {
  if (before === undefined) delete process.env.OTEL_RESOURCE_ATTRIBUTES;
  else process.env.OTEL_RESOURCE_ATTRIBUTES = before;
  rmSync(directory, { recursive: true, force: true });
});

it('spans carry the attributes of the environment, decoded where they are encoded', async () => {
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'team=the%20shop, discount=50%,nonsense,empty=';
  const sink = exportSpans({ to: 'file', directory, namespace: 'test', metrics: createMetrics() });
  const now = Date.now();
  const context = { traceId: newTraceId(), spanId: newSpanId() };
  sink.write([{ ...context, role: 'coupon-api', name: 'one', kind: 'server', from: now, to: now, attributes: {} }]);
  await sink.close();
  const [file = ''] = readdirSync(directory);
  const { resourceSpans } = JSON.parse(readFileSync(join(directory, file), 'utf8'));
  expect(resourceSpans[0].resource.attributes).toEqual(
    expect.arrayContaining([
      { key: 'team', value: { stringValue: 'the shop' } },
      { key: 'discount', value: { stringValue: '50%' } },
      { key: 'empty', value: { stringValue: '' } },
      { key: 'service.name', value: { stringValue: 'coupon-api' } },
    ]),
  );
});
