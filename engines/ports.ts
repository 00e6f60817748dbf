import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineName, type Kind, labels } from './engines.ts';
import { EngineFailure } from './failure.ts';
import { say } from './say.ts';

const defaults = {
  ONRUSH_MYSQL_PORT: 13306,
  ONRUSH_REDIS_PORT: 16379,
  ONRUSH_KAFKA_PORT: 19092,
  ONRUSH_KAFKA_CONTROLLER_PORT: 19093,
};
export type PortVariable = keyof typeof defaults;
export const portVariables = Object.keys(defaults) as PortVariable[];

/**
 * The port a variable asks for, or the default: none that an engine of the user's would have, and below 32768, where
 * Linux takes the ports of outgoing connections from.
 */
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
    // A port in the range that Linux takes clients' own ports from may be held by a connection that was just closed.
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
