import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { inspect } from 'node:util';
import express from 'express';
import fc from 'fast-check';
import { readJson } from './read-json.ts';

let server: Server;
let port: number;
beforeAll(async () => {
  const app = express();
  app.post('/', (req, res) =>
    readJson(req, res, (error, body) => {
      res.end(inspect({ status: error?.status, body }, { depth: 9, breakLength: Number.POSITIVE_INFINITY }));
    }),
  );
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const post = (body: Uint8Array, headers: Record<string, string>): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: Buffer.from(body), headers }).then((answer) =>
    answer.text(),
  );

/** The same body by the way for plain bodies, and by Express's reader, to which a stated encoding leads. */
async function bothWays(body: Uint8Array, type = 'application/json'): Promise<[string, string]> {
  const headers = { 'Content-Type': type };
  return [await post(body, headers), await post(body, { ...headers, 'Content-Encoding': 'identity' })];
}

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  '{"amount":1000}',
  '{"amount":100.00000000000000000001}',
  '{"amount":9007199254740993}',
  '{"amount":1e3}',
  '{"amount":1E+3}',
  '{"amount":-0}',
  '{"amount":123456789012345}',
  '{"userId":"test-user-1e5","note":"1.5"}',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1}}',
  ' \t\r\n{"a":[]} ',
  '\u{feff}{"a":1}',
  '[1,2]',
  '"text"',
  '7',
  'null',
  'true',
  '{',
  '{"a":1}}',
  '{"a":"\u{1f600}é한"}',
  '{"a":"\\ud800"}',
])('%s is read as Express reads it', async (text) => {
  const [plain, usual] = await bothWays(bytes(text));
  expect(plain).toBe(usual);
});

test('whatever bytes come are read as Express reads them', async () => {
  const json = fc.json({ maxDepth: 3 }).map(bytes);
  const mangled = fc
    .tuple(json, fc.nat(), fc.nat(255))
    .map(([text, at, byte]) => text.map((old, index) => (index === at % text.length ? byte : old)));
  const numbers = fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.stringMatching(/^\d{1,20}$/),
      fc.stringMatching(/^(\.\d{1,20})?([eE][+-]?\d{1,2})?$/),
    )
    .map(([sign, whole, rest]) => bytes(`{"n":${sign}${whole}${rest}}`));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(json, mangled, numbers, fc.uint8Array({ minLength: 1, maxLength: 40 })),
      fc.constantFrom('application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON;charset=UTF-8'),
      async (body, type) => {
        const [plain, usual] = await bothWays(body, type);
        expect(plain).toBe(usual);
      },
    ),
    { numRuns: 300 },
  );
});

test('a body in many pieces, cut within its characters, is one body', async () => {
  const body = Buffer.from('{"name":"한국어 é 😀"}');
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  for (const byte of body) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  expect(answer).toContain("{ status: undefined, body: { name: '한국어 é 😀' } }");
});

test.each(['text/plain', 'application/json; charset=latin1', 'application/x-www-form-urlencoded'])(
  'a body of %s is left to Express',
  async (type) => {
    const [plain, usual] = await bothWays(bytes('{"a":1}'), type);
    expect(plain).toBe(usual);
  },
);
