import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const NAMESPACE = 'onrush';

export interface Ran {
  code: number;
  stdout: string;
  /** What it said to either stream. */
  output: string;
}

/** Runs a command to its end, input on stdin. */
export function run(command: string, args: string[], input = ''): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 64 * 2 ** 20,
  });
  return { code: status ?? 1, stdout: stdout ?? '', output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

/** The same, but one that fails throws what it said; its standard output. */
export function done(command: string, args: string[], input = ''): string {
  const { code, stdout, output } = run(command, args, input);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.slice(-4_000)}`);
  return stdout;
}

export const kubectl = (...args: string[]): string => done('kubectl', ['-n', NAMESPACE, ...args]);

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind
export const objects = (...args: string[]): any[] => JSON.parse(kubectl('get', ...args, '-o', 'json')).items;

/** Value of a Secret's key. */
export const secret = (name: string, key: string, namespace = NAMESPACE): string =>
  Buffer.from(
    done('kubectl', ['-n', namespace, 'get', 'secret', name, '-o', `jsonpath={.data.${key}}`]),
    'base64',
  ).toString();

/** Starts a command that goes on; its output goes to .onrush/log/NAME.log. */
export function start(
  name: string,
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const directory = join('.onrush', 'log');
  mkdirSync(directory, { recursive: true });
  const file = resolve(directory, `${name}.log`);
  const out = openSync(file, 'w');
  const child = spawn(command, args, { stdio: ['ignore', out, out], ...options });
  const ended = new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)));
  return { child, ended, log: () => readFileSync(file, 'utf8') };
}

/** Forwards a Service's port to a free one of loopback until it is closed. */
export async function forward(service: string, port: number): Promise<{ port: number; close(): void }> {
  const child: ChildProcess = spawn('kubectl', ['-n', NAMESPACE, 'port-forward', `service/${service}`, `:${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const local = await new Promise<number>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk;
      const told = /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1];
      if (told) resolve(Number(told));
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', () => reject(new Error(`kubectl port-forward ${service}: ${said}`)));
  });
  return { port: local, close: () => child.kill() };
}
