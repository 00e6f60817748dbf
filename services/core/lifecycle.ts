import type { Logger } from 'pino';

/** Something that runs until it is stopped. */
export interface Running {
  name: string;
  stop(): Promise<void>;
}

/**
 * A loop in the background: `step` is called again and again; one that failed is logged and tried again after a pause
 * that grows to two seconds. `stop` lets the running step end.
 */
export function runLoop(name: string, logger: Logger, step: (signal: AbortSignal) => Promise<void>): Running {
  const aborter = new AbortController();
  const { signal } = aborter;
  const loop = (async () => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await step(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        failures++;
        logger.warn({ err: error, loop: name, failures }, 'loop failed; trying again');
        await pause(Math.min(100 * 2 ** failures, 2_000), signal);
      }
    }
  })();
  return {
    name,
    async stop() {
      aborter.abort();
      await loop;
    },
  };
}

/** Resolves after the time, or at once when the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
