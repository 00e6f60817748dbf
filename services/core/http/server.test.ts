import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { pino } from 'pino';
import { z } from 'zod';
import { eventually } from '../../../loadtests/test/stack.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { endpoint } from './endpoint.ts';
import { type Route, refuseUnknown, route, serve } from './serve.ts';
import { type HttpServer, listen } from './server.ts';

const of = (method: 'get' | 'post' | 'delete', operation: string) =>
  endpoint({ operation, method, path: `/api/${operation}`, summary: operation });
const done = async () => ({ ok: true, value: undefined }) as const;
let release = () => {};
const held = () =>
  new Promise<Awaited<ReturnType<typeof done>>>((resolve) => {
    release = () => resolve({ ok: true, value: undefined });
  });
/** More than the buffers of both ends of a connection take. */
const long = 'x'.repeat(8 * 1024 * 1024);
const routes: Route[] = [
  route(of('get', 'read'), () => sleep(20).then(done)),
  route(of('delete', 'read'), () => sleep(20).then(done)),
  route({ ...of('post', 'write'), body: z.strictObject({ a: z.int() }) }, done),
  route(of('get', 'held'), held),
  route({ ...of('get', 'long'), answer: z.string() }, async () => ({ ok: true, value: long })),
];

let server: HttpServer;
let metrics: Metrics;
let agent: Agent;
async function start(maxInFlight: number, silenceMs = 5_000): Promise<void> {
  const app = express();
  metrics = createMetrics();
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const logger = pino({ level: 'silent' });
  serve(app, routes, { logger, metrics: metrics.http, requestTimeoutMs: 5_000, isEngineAway: () => false });
  refuseUnknown(app, routes);
  server = await listen(app, { host: '127.0.0.1', port: 0, maxInFlight, silenceMs, metrics: metrics.http });
}
afterEach(async () => {
  release();
  agent.destroy();
  await server.close(0);
});

const inFlight = async (): Promise<number> =>
  Number((await metrics.registry.metrics()).match(/^onrush_http_requests_in_flight (\d+)$/m)?.[1]);
const untilInFlight = (count: number) => eventually(inFlight, (seen) => seen === count, 2_000);

/** With a body whatever the method, which fetch does not send. */
function ask(method: string, path: string, body = '', type = 'application/json'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = body === '' ? {} : { 'content-type': type, 'content-length': body.length };
    const asked = request({ host: '127.0.0.1', port: server.port, method, path, agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
function send(text: string): Socket {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  return socket;
}
const answerOn = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once('data', (data) => resolve(`${data}`)));

const json = '{"a":1}';
const unread: [string, number, Parameters<typeof ask>][] = [
  ['a read with a body', 200, ['GET', '/api/read', json]],
  ['DELETE with a body', 200, ['DELETE', '/api/read', json]],
  ['another type', 415, ['POST', '/api/write', 'a=1', 'text/plain']],
  ['a body that is too large', 413, ['POST', '/api/write', `{"a":"${'x'.repeat(20_000)}"}`]],
  ['a path that is none', 404, ['POST', '/nowhere', json]],
  ['a method that is none', 405, ['PUT', '/api/write', json]],
];

describe('a request whose body nobody reads', () => {
  it.each(unread)('gives its place back: %s', async (_, status, asked) => {
    await start(100);
    for (let n = 0; n < 5; n++) expect(await ask(...asked)).toBe(status);
    // On the same connection: the body before it has come to its end by now.
    await ask('GET', '/api/read');
    await sleep(50);
    await untilInFlight(0);
  });

  it('ends after its answer and, with all places taken, is not answered again', async () => {
    await start(1);
    const socket = send('POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{');
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 404 /);
    const running = ask('GET', '/api/held');
    await untilInFlight(1);
    socket.write('}GET /api/read HTTP/1.1\r\nHost: x\r\n\r\n');
    // A refusal of the next request, not a second answer to the first.
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 503 /);
    release();
    expect(await running).toBe(200);
    socket.destroy();
  });

  it('counts from its beginning where no route would read it', async () => {
    await start(1);
    const running = ask('GET', '/api/held', json);
    await untilInFlight(1);
    const other = send('GET /api/read HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await answerOn(other)).toMatch(/^HTTP\/1\.1 503 /);
    release();
    expect(await running).toBe(200);
    await untilInFlight(0);
  });
});

describe('a client that does not read its answers', () => {
  const longRequest = 'GET /api/long HTTP/1.1\r\nHost: x\r\n\r\n';

  it('loses its connection, and gives the places of all its requests back', async () => {
    await start(4, 1_500);
    const sockets = Array.from({ length: 2 }, () => send(longRequest.repeat(2)).pause());
    await untilInFlight(4);
    expect(await ask('GET', '/api/read')).toBe(503);
    await eventually(inFlight, (count) => count === 0, 8_000);
    expect(await ask('GET', '/api/read')).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it('keeps it for as long as it reads some of them, however slowly', async () => {
    await start(20, 1_000);
    const socket = send(longRequest.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    let heard = 0;
    socket.on('data', (data) => {
      heard += data.length;
      socket.pause();
      setTimeout(() => socket.resume(), 12);
    });
    await ended;
    expect(heard).toBeGreaterThan(long.length);
  });
});
