import { createServer, type Server, type Socket, connect as tcp } from 'node:net';

/** What becomes of the next COMMIT that passes. */
export type CommitFate =
  /** Goes through. */
  | 'pass'
  /** The connection breaks before the engine gets it. */
  | 'lost'
  /** The engine gets it, its answer is lost. */
  | 'answer lost'
  /** The client's connection breaks; the engine gets it some time later. */
  | 'late'
  /** The engine gets it and its answer never comes, nor does the connection break. */
  | 'unanswered';

export interface MysqlProxy {
  url: string;
  /** Applies to one COMMIT, then the next ones pass. Resolves when it has come to one. */
  nextCommit(fate: CommitFate): Promise<void>;
  /** From now on connections are taken but nothing passes. */
  goSilent(): void;
  close(): Promise<void>;
}

const COMMIT = Buffer.from('COMMIT');
const LATE_MS = 300;

/** Stands between mysql2 and the engine, on TCP, and breaks connections around COMMIT. */
export async function mysqlProxy(databaseUrl: string): Promise<MysqlProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let fate: CommitFate = 'pass';
  let onFate = () => {};
  let silent = false;
  const server: Server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    if (silent) return;
    const engine = tcp(Number(target.port || 3306), target.hostname);
    sockets.add(engine);
    engine.on('error', () => {});
    engine.on('data', (data) => client.write(data));
    engine.on('close', () => client.destroy());
    client.on('close', () => engine.destroy());
    client.on('data', (data) => {
      if (silent) return;
      if (fate === 'pass' || !data.subarray(-COMMIT.length).equals(COMMIT)) {
        engine.write(data);
        return;
      }
      const now = fate;
      fate = 'pass';
      onFate();
      if (now === 'lost') {
        client.destroy();
        return;
      }
      engine.removeAllListeners('data');
      if (now === 'answer lost') engine.once('data', () => client.destroy());
      if (now === 'unanswered') engine.on('data', () => {});
      if (now !== 'late') {
        engine.write(data);
        return;
      }
      client.removeAllListeners('close');
      client.destroy();
      engine.once('data', () => engine.destroy());
      setTimeout(() => engine.write(data), LATE_MS);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' && address ? address.port : 0);
  return {
    url: url.toString(),
    nextCommit(next) {
      fate = next;
      return new Promise((resolve) => {
        onFate = resolve;
      });
    },
    goSilent() {
      silent = true;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
