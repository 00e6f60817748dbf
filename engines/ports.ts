import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineName, type Kind, labels } from './engines.ts';
import { EngineFailure } from './failure.ts';
import { say } from './say.ts';

const defaults = {
  ONRUSH_MYSQL_PORT: 33306,
  ONRUSH_REDIS_PORT: 36379,
  ONRUSH_KAFKA_PORT: 39092,
  ONRUSH_KAFKA_CONTROLLER_PORT: 39093,
};
export type PortVariable = keyof typeof defaults;
export const portVariables = Object.keys(defaults) as PortVariable[];

/** The port a variable asks for, or the default: high ones, so that an engine the user runs already is left alone. */
export function port(variable: PortVariable): number {
  const asked = process.env[variable];
  if (!asked) return defaults[variable];
  if (/^\d+$/.test(asked) && Number(asked) >= 1 && Number(asked) <= 65535) return Number(asked);
  throw new EngineFailure(`${variable}=${asked} is not a port: expected a number from 1 to 65535`);
}

const portsOf: Record<EngineName, Record<Exclude<Kind, 'external'>, PortVariable[]>> = {
  mysql: { native: ['ONRUSH_MYSQL_PORT'], compose: ['ONRUSH_MYSQL_PORT'] },
  redis: { native: ['ONRUSH_REDIS_PORT'], compose: ['ONRUSH_REDIS_PORT'] },
  kafka: { native: ['ONRUSH_KAFKA_PORT', 'ONRUSH_KAFKA_CONTROLLER_PORT'], compose: ['ONRUSH_KAFKA_PORT'] },
};

/** How long Linux keeps a closed connection's port to itself. */
const timeWaitMs = 60_000;

/** Fails with one line if something listens already where this engine is to. */
export async function assertPortsFree(name: EngineName, kind: Kind): Promise<void> {
  if (kind === 'external') return;
  for (const variable of portsOf[name][kind]) {
    const wanted = port(variable);
    if (await isFree(wanted)) continue;
    // These ports lie where Linux takes a client's own port from: after a load run a closed connection may hold one.
    if (!(await isListening(wanted))) {
      say(`port ${wanted} for ${labels[name]} is held by an outgoing connection: waiting up to 60 s for it to close`);
      for (const end = Date.now() + timeWaitMs; Date.now() < end && !(await isFree(wanted)); ) await sleep(500);
      if (await isFree(wanted)) continue;
    }
    throw new EngineFailure(
      `port ${wanted} for ${labels[name]} is in use by another program: stop it, or set ${variable} to a free port`,
    );
  }
}

function isListening(wanted: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(wanted, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function isFree(wanted: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(wanted, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
