import { join, resolve } from 'node:path';

export const defaultDirectory = '.onrush';

/** Everything `up` writes lies here; ONRUSH_DIR moves it, so that tests and a second stack can have their own. */
export function inState(...parts: string[]): string {
  return join(resolve(process.env.ONRUSH_DIR || defaultDirectory), ...parts);
}

export const pidFile = (name: string) => inState('run', `${name}.pid`);
export const logFile = (name: string) => inState('log', `${name}.log`);
