import { spawn } from 'node:child_process';

export interface Ended {
  /** The exit code, or what ended it. */
  code: number | string;
  /** The end of what it wrote to standard error. */
  said: string;
}

/** Runs a load generator to its end; at `signal` it is asked to end, and still writes what it knows. */
export function runGenerator(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onStart: (pid: number) => void,
): Promise<Ended> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  if (child.pid) onStart(child.pid);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-4_000);
  });
  const abort = () => child.kill('SIGINT');
  signal.addEventListener('abort', abort, { once: true });
  return new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (exit, by) => resolve(exit ?? String(by)));
  }).then((code) => {
    signal.removeEventListener('abort', abort);
    return { code, said: said.trim().split('\n').slice(-3).join(' / ') };
  });
}
