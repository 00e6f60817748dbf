import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MOST_MISSED, MOST_WATCHERS, Watchers } from './watchers.ts';

let server: Server;
let watchers: Watchers;
const arrived: ServerResponse[] = [];

beforeEach(async () => {
  watchers = new Watchers();
  arrived.length = 0;
  server = createServer((_req, res) => {
    arrived.push(res);
    if (watchers.add(res, () => {})) res.flushHeaders();
    else res.writeHead(503).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const watch = (): Promise<IncomingMessage> =>
  new Promise((done, failed) => {
    get({ port: (server.address() as AddressInfo).port, agent: false }, done).on('error', failed);
  });
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

test('there is room for so many and no more, until one leaves', async () => {
  const all = await Promise.all(Array.from({ length: MOST_WATCHERS }, watch));
  expect(all.map(({ statusCode }) => statusCode)).toEqual(Array(MOST_WATCHERS).fill(200));
  expect((await watch()).statusCode).toBe(503);
  all[0]?.destroy();
  while (watchers.size === MOST_WATCHERS) await pause(10);
  expect((await watch()).statusCode).toBe(200);
});

test('one that does not take its events is let go, nothing is kept for it, and the others get theirs', async () => {
  const slow = await watch();
  slow.on('error', () => {});
  slow.pause();
  const quick = await watch();
  let got = 0;
  quick.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  const [slowest] = arrived;
  // Larger than what an event is, so that the kernel's buffers between the two are full soon.
  const event = JSON.stringify('x'.repeat(1_000_000));
  let most = 0;
  let sent = 0;
  for (; watchers.size === 2 && sent < 60; sent++) {
    watchers.sendAll('sample', event);
    most = Math.max(most, slowest?.writableLength ?? 0);
    await pause(20);
  }
  expect(sent).toBeGreaterThan(MOST_MISSED);
  expect(watchers.size).toBe(1);
  expect(slowest?.destroyed).toBe(true);
  expect(most).toBeLessThan(1_100_000);
  while (got < sent * 1_000_000) await pause(20);
});

test('a heartbeat is an event that tells nothing', async () => {
  const one = await watch();
  watchers.beat();
  const text = await new Promise<string>((done) => one.once('data', (chunk: Buffer) => done(chunk.toString())));
  expect(text).toBe('event: beat\ndata: {}\n\n');
});

test('at the end all are let go', async () => {
  const one = await watch();
  const ended = new Promise((done) => one.once('end', done));
  one.resume();
  watchers.endAll();
  await ended;
});
