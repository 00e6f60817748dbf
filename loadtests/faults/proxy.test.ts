import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openProxy, type TcpProxy } from './proxy.ts';

/** An engine that says everything back. */
let enginePort: number;
let proxy: TcpProxy;
const engine = createServer((socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
beforeAll(async () => {
  await new Promise<void>((done) => engine.listen(0, '127.0.0.1', done));
  enginePort = (engine.address() as { port: number }).port;
});
beforeEach(async () => {
  proxy = await openProxy(enginePort);
});
afterEach(() => proxy.close());
afterAll(() => engine.close());

interface Client {
  socket: Socket;
  heard(): string;
  ended(): string | undefined;
  say(text: string): Promise<void>;
}

async function client(): Promise<Client> {
  let heard = '';
  let end: string | undefined;
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('data', (data) => {
    heard += data;
  });
  socket.on('error', (error) => {
    end = (error as NodeJS.ErrnoException).code;
  });
  socket.on('end', () => {
    end ??= 'end';
  });
  await new Promise((done) => socket.once('connect', done).once('error', done));
  return {
    socket,
    heard: () => heard,
    ended: () => end,
    async say(text) {
      socket.write(text);
      await sleep(100);
    },
  };
}

it('passes both ways, and resets every connection when told to', async () => {
  const one = await client();
  await one.say('hello');
  expect(one.heard()).toBe('hello');
  proxy.resetAll();
  await sleep(50);
  expect(one.ended()).toBe('ECONNRESET');
  const two = await client();
  await two.say('again');
  expect(two.heard()).toBe('again');
});

it('is refused while nobody listens, and takes connections at the same port afterwards', async () => {
  await proxy.refuse();
  expect((await client()).ended()).toBe('ECONNREFUSED');
  await proxy.pass();
  const later = await client();
  await later.say('back');
  expect(later.heard()).toBe('back');
});

it('swallows in a black hole, and leaves those connections silent for ever', async () => {
  const before = await client();
  await before.say('1');
  proxy.blackHole();
  const during = await client();
  await during.say('2');
  await before.say('3');
  await proxy.pass();
  await before.say('4');
  await during.say('5');
  expect([before.heard(), before.ended()]).toEqual(['1', undefined]);
  expect([during.heard(), during.ended()]).toEqual(['', undefined]);
  const after = await client();
  await after.say('6');
  expect(after.heard()).toBe('6');
});

it('delays each direction, and keeps the order when it stops', async () => {
  const one = await client();
  proxy.delay(200);
  const began = performance.now();
  one.socket.write('a');
  await sleep(50);
  proxy.delay(0);
  one.socket.write('b');
  while (one.heard().length < 2) await sleep(10);
  expect(one.heard()).toBe('ab');
  expect(performance.now() - began).toBeGreaterThan(190);
});
