import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointVariables, engineNames } from './engines.ts';

// What a user sees who runs `npm run up` where it cannot work: one line, exit code 2, no stack trace.

const directory = mkdtempSync(join(tmpdir(), 'onrush-up-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// The endpoints of the test run itself are none of these programs'.
const inherited = { ...process.env };
for (const name of engineNames) delete inherited[endpointVariables[name]];

function runUp(env: Record<string, string>): Promise<{ code: number | null; lines: string[] }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['run.mjs', 'engines/up.ts'], {
      env: { ...inherited, ONRUSH_DIR: directory, ENGINES: 'native', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('close', (code) => resolve({ code, lines: output.trim().split('\n').filter(isOurs) }));
  });
}

/** Node itself says so when run.mjs finds no engines.env. */
const isOurs = (line: string) => !line.includes('Continuing without it');

test('a port in use stops up with one line that names the port, the engine and the way out', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  try {
    const { code, lines } = await runUp({ ONRUSH_MYSQL_PORT: String(port) });
    expect(lines).toEqual([
      'engines: native (ENGINES=native)',
      `port ${port} for MySQL is in use by another program: stop it, or set ONRUSH_MYSQL_PORT to a free port`,
    ]);
    expect(code).toBe(2);
  } finally {
    other.close();
  }
});

test.each([
  [{ ENGINES: 'podman' }, 'ENGINES=podman is unknown: expected compose, native or external, or leave it unset'],
  [{ ENGINES: 'external' }, 'ENGINES=external, but DATABASE_URL is not set: give the endpoints of all three engines'],
])('%j stops up with one line', async (env, line) => {
  const { code, lines } = await runUp(env);
  expect(lines).toEqual([line]);
  expect(code).toBe(2);
});

test('a bad port stops up with a line that names the setting', async () => {
  const { code, lines } = await runUp({ ONRUSH_REDIS_PORT: '70000' });
  expect(lines).toEqual(['ONRUSH_REDIS_PORT=70000 is not a port: expected a number from 1 to 65535']);
  expect(code).toBe(2);
});

test('an endpoint that does not answer is named without its password, and not tried again by the next up', async () => {
  const { code, lines } = await runUp({ DATABASE_URL: 'mysql://me:secret@127.0.0.1:1/shop' });
  expect(lines.at(-1)).toMatch(
    /^MySQL does not answer at mysql:\/\/me:\*\*\*@127\.0\.0\.1:1\/shop, DATABASE_URL \(set\): .*ECONNREFUSED/,
  );
  expect(lines.join('\n')).not.toContain('secret');
  expect(code).toBe(2);
  const { lines: next } = await runUp({ ENGINES: 'external' });
  expect(next.at(-1)).toContain('DATABASE_URL is not set');
});
