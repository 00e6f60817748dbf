import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type OwnStack, ownStack } from '../test/own-stack.ts';
import { eventually } from '../test/stack.ts';
import type { Started } from '../test/start-services.ts';
import { openAgent, post, type Reply } from './post.ts';
import { openProxy } from './proxy.ts';

/** Requests that the process works on at once; there are several times as many slow clients. */
const IN_FLIGHT = 10;
const CLIENTS = 60;

let own: OwnStack;
let started: Started;
let charges = 0;
const agent = openAgent();
beforeAll(async () => {
  own = await ownStack('slow', { users: 20 });
  started = await own.start({ ROLES: 'balance-api', ONRUSH_MAX_IN_FLIGHT: String(IN_FLIGHT) });
});
afterAll(async () => {
  agent.destroy();
  await own.remove();
});

const charge = (url = started.url): Promise<Reply> =>
  post(agent, `${url}/api/users/own-1/balance/charge`, `slow-${charges++}`, { amount: 1 }, 10_000);

/** As many requests as may be in flight, three times over: each must be served, as if nobody else were there. */
async function othersAreServed(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(Array.from({ length: IN_FLIGHT }, () => charge()));
    expect(answers.map(({ status, code }) => code ?? status)).toEqual(Array(IN_FLIGHT).fill(200));
  }
}

interface SlowClient {
  socket: Socket;
  heard(): string;
  closed(): boolean;
}

/** Sends the beginning at once and then a byte every half second. */
function slowly(beginning: string): SlowClient {
  const { hostname, port } = new URL(started.url);
  let heard = '';
  let closed = false;
  const socket = connect(Number(port), hostname, () => socket.write(beginning));
  const drip = setInterval(() => socket.write('x'), 500);
  socket.on('data', (data) => {
    heard += data;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    clearInterval(drip);
    closed = true;
  });
  return { socket, heard: () => heard, closed: () => closed };
}

const openSockets = () => readdirSync(`/proc/${started.child.pid}/fd`).length;

async function areCutOff(clients: SlowClient[], withinMs: number): Promise<void> {
  await eventually(
    async () => clients.filter((client) => !client.closed()).length,
    (open) => open === 0,
    withinMs,
  );
  // Told where the protocol has a word for it, and in no case served.
  for (const { heard } of clients) expect(heard()).toMatch(/^(HTTP\/1\.1 408 |$)/);
}

it('headers that never end hold up nobody, and are cut off', async () => {
  const clients = Array.from({ length: CLIENTS }, () => slowly('POST /api/users/own-2/balance/charge HTTP/1.1\r\nX-'));
  await eventually(
    async () => openSockets(),
    (open) => open > CLIENTS,
  );
  await othersAreServed();
  await areCutOff(clients, 15_000);
});

it('bodies that never end hold up nobody, and are cut off', async () => {
  const before = openSockets();
  const clients = Array.from({ length: CLIENTS }, () =>
    slowly(
      'POST /api/users/own-2/balance/charge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"a',
    ),
  );
  await eventually(
    async () => openSockets(),
    (open) => open >= before + CLIENTS,
  );
  await othersAreServed();
  await areCutOff(clients, 25_000);
  expect(await own.value("SELECT balance FROM users WHERE id = 'own-2'")).toBe(1_000_000);
});

it('clients that vanish without a word after their request hold up nobody', async () => {
  const { port } = new URL(started.url);
  const proxy = await openProxy(Number(port));
  const letGo = await own.db.getConnection();
  await letGo.query('START TRANSACTION');
  await letGo.query("SELECT id FROM users WHERE id = 'own-3' FOR UPDATE");
  let refused = 0;
  const vanished = Array.from({ length: 2 * IN_FLIGHT }, (_, n) =>
    post(
      agent,
      `http://127.0.0.1:${proxy.port}/api/users/own-3/balance/charge`,
      `gone-${n}`,
      { amount: 1 },
      60_000,
    ).then(({ status }) => {
      if (status === 503) refused++;
    }),
  );
  // Half of them are at work, waiting for the row: there is no place for another one.
  await eventually(
    async () => refused,
    (count) => count === IN_FLIGHT,
    2_500,
  );
  expect((await charge()).status).toBe(503);
  proxy.blackHole();
  await letGo.query('ROLLBACK');
  letGo.release();
  await eventually(
    () => own.value("SELECT balance FROM users WHERE id = 'own-3'"),
    (balance) => balance === 1_000_000 + IN_FLIGHT,
  );
  await othersAreServed();
  await proxy.close();
  await Promise.all(vanished);
});
