import { spawn } from 'node:child_process';

export interface Ended {
  /** The exit code, or what ended it. */
  code: number | string;
  /** The end of what it wrote to standard error. */
  said: string;
}

/** A load generator that runs. */
export interface Generator {
  stdin: NodeJS.WritableStream | null;
  ended: Promise<Ended>;
}

/** Starts a load generator; at `signal` it is asked to end, and still writes what it knows. */
export function startGenerator(
  command: string,
  args: string[],
  { env, stdin = 'ignore' }: { env: NodeJS.ProcessEnv; stdin?: 'ignore' | 'pipe' },
  signal: AbortSignal,
  onStart: (pid: number) => void,
): Generator {
  const child = spawn(command, args, {
    stdio: [stdin, 'ignore', 'pipe'],
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
  const ended = new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (exit, by) => resolve(exit ?? String(by)));
  }).then((code) => {
    signal.removeEventListener('abort', abort);
    return { code, said: said.trim().split('\n').slice(-3).join(' / ') };
  });
  return { stdin: child.stdin, ended };
}
