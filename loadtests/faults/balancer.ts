import { Agent, createServer, get, type IncomingMessage, request, type ServerResponse } from 'node:http';

/**
 * A load balancer as a cluster has one: it asks each process whether it is ready, gives requests in turn to those that
 * are, keeps its connections, and never sends a request twice.
 */
export interface Balancer {
  url: string;
  add(url: string): void;
  /** Who gets requests now. */
  ready(): string[];
  close(): Promise<void>;
}

/** How often readiness is asked for: a process that stops stays for longer than that. Milliseconds. */
const PROBE = 250;

export async function openBalancer(): Promise<Balancer> {
  const processes = new Set<string>();
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  let turn = 0;
  // One that says that it stops, or is gone, does not come back.
  const probe = (url: string) => {
    get(`${url}/health/ready`, { agent }, (response) => {
      response.resume();
      if (response.statusCode !== 200) processes.delete(url);
    }).on('error', () => processes.delete(url));
  };
  const probes = setInterval(() => {
    for (const url of processes) probe(url);
  }, PROBE);

  const pass = (incoming: IncomingMessage, answer: ServerResponse) => {
    const chosen = [...processes];
    const url = chosen[turn++ % Math.max(1, chosen.length)];
    if (!url) {
      answer.writeHead(502).end();
      return;
    }
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const outgoing = request(
      url + incoming.url,
      { method: incoming.method ?? 'GET', headers: headers as Record<string, string>, agent },
      (response) => {
        const { connection: _closing, ...kept } = response.headers;
        answer.writeHead(response.statusCode ?? 502, kept);
        response.pipe(answer);
      },
    );
    outgoing.on('error', () => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end();
    });
    incoming.pipe(outgoing);
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, pass);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    add: (url) => void processes.add(url),
    ready: () => [...processes],
    async close() {
      clearInterval(probes);
      agent.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
