import { createServer, type Server, type Socket, connect as tcp } from 'node:net';

/** Stands between the services and one engine, on loopback, and does to their connections what networks do. */
export interface TcpProxy {
  port: number;
  /** Everything goes through at once: the end of any fault. */
  pass(): Promise<void>;
  /** Nobody listens any more, as when the engine's process is gone; connections that are open are left to the engine. */
  refuse(): Promise<void>;
  /** Every connection ends with RST, on both sides. */
  resetAll(): void;
  /**
   * Connections are taken and whatever comes is swallowed. Those that were open at any time of it stay silent for ever,
   * neither closed nor reset, like the ones a firewall has forgotten: both sides must notice by themselves.
   */
  blackHole(): void;
  /** Everything arrives so many milliseconds later, in each direction. */
  delay(milliseconds: number): void;
  /** New connections go to this port; those that are open stay where they are. */
  leadTo(port: number): void;
  /** Connections taken so far. */
  taken(): number;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  engine: Socket;
  silent: boolean;
}

/** @param port where to listen; 0 for any that is free. */
export async function openProxy(enginePort: number, port = 0): Promise<TcpProxy> {
  let target = enginePort;
  let delayMs = 0;
  let swallowing = false;
  let taken = 0;
  const pairs = new Set<Pair>();
  const swallowed = new Set<Socket>();

  const take = (client: Socket) => {
    taken++;
    if (swallowing) {
      swallowed.add(client);
      client.on('error', () => {});
      client.on('end', () => client.destroy());
      client.on('close', () => swallowed.delete(client));
      client.resume();
      return;
    }
    const engine = tcp(target, '127.0.0.1');
    const pair: Pair = { client, engine, silent: false };
    pairs.add(pair);
    client.setNoDelay(true);
    engine.setNoDelay(true);
    lead(pair, client, engine);
    lead(pair, engine, client);
  };

  const lead = (pair: Pair, from: Socket, to: Socket) => {
    const later = inOrder(() => delayMs);
    from.on('data', (data) => {
      if (!pair.silent) later(() => to.write(data));
    });
    from.on('end', () => {
      if (!pair.silent) later(() => to.end());
    });
    from.on('error', () => {
      if (!pair.silent) to.resetAndDestroy();
    });
    from.on('close', () => {
      if (!pair.silent) later(() => to.destroy());
      if (pair.client.destroyed && pair.engine.destroyed) pairs.delete(pair);
    });
  };

  let server = await listen(port, take);
  const address = server.address();
  const ownPort = typeof address === 'object' && address ? address.port : port;

  return {
    port: ownPort,
    async pass() {
      swallowing = false;
      delayMs = 0;
      if (!server.listening) server = await listen(ownPort, take);
    },
    refuse: () => new Promise((resolve) => void stopListening(server, resolve)),
    resetAll() {
      for (const { client, engine } of pairs) {
        client.resetAndDestroy();
        engine.resetAndDestroy();
      }
    },
    blackHole() {
      swallowing = true;
      for (const pair of pairs) pair.silent = true;
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    leadTo(next) {
      target = next;
    },
    taken: () => taken,
    async close() {
      const closed = new Promise<void>((resolve) => void stopListening(server, resolve));
      for (const socket of [...swallowed, ...[...pairs].flatMap(({ client, engine }) => [client, engine])])
        socket.destroy();
      await closed;
    },
  };
}

function listen(port: number, take: (client: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, take);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** `close` ends once the last connection has; the port is free at once. */
function stopListening(server: Server, done: () => void): void {
  if (server.listening) server.close();
  done();
}

/** Runs what it is given after the delay of that moment, and never before what it was given earlier. */
function inOrder(delayMs: () => number): (work: () => void) => void {
  const waiting: { due: number; work: () => void }[] = [];
  const run = () => {
    for (let first = waiting[0]; first && first.due <= performance.now(); first = waiting[0]) {
      waiting.shift();
      first.work();
    }
    if (waiting[0]) setTimeout(run, Math.max(1, waiting[0].due - performance.now()));
  };
  return (work) => {
    const wait = delayMs();
    if (wait === 0 && waiting.length === 0) {
      work();
      return;
    }
    waiting.push({ due: performance.now() + wait, work });
    if (waiting.length === 1) setTimeout(run, Math.max(1, wait));
  };
}
