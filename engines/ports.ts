import { createServer } from 'node:net';
import { EngineFailure } from './failure.ts';

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

/** Fails with one line if something listens on the port already. */
export async function assertFree(variable: PortVariable, label: string): Promise<void> {
  const wanted = port(variable);
  const inUse = await new Promise<boolean>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(true) : reject(new EngineFailure(`${label}: ${error.message}`)),
    );
    server.listen(wanted, '127.0.0.1', () => server.close(() => resolve(false)));
  });
  if (inUse) {
    throw new EngineFailure(
      `port ${wanted} for ${label} is in use by another program: stop it, or set ${variable} to a free port`,
    );
  }
}
