import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointSetByUser, writeEnvironment } from './record.ts';

const directory = mkdtempSync(join(tmpdir(), 'onrush-record-'));
const before = { ...process.env };
beforeAll(() => {
  process.env.ONRUSH_DIR = directory;
  writeEnvironment({
    mysql: { kind: 'native', endpoint: 'mysql://onrush:x@127.0.0.1:1/onrush' },
    redis: { kind: 'native', endpoint: 'redis://:x@127.0.0.1:2/0' },
    kafka: { kind: 'native', endpoint: '127.0.0.1:3' },
  });
});
afterAll(() => {
  process.env = before;
  rmSync(directory, { recursive: true, force: true });
});

test('an endpoint that up wrote, and run.mjs loaded, is not taken for one the user set', () => {
  process.env.DATABASE_URL = 'mysql://onrush:x@127.0.0.1:1/onrush';
  expect(endpointSetByUser('mysql')).toBeUndefined();
});

test('any other endpoint is the user’s', () => {
  process.env.REDIS_URL = 'redis://:x@127.0.0.1:2/1';
  expect(endpointSetByUser('redis')).toBe('redis://:x@127.0.0.1:2/1');
});
