import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { logFile } from './directory.ts';
import { EngineFailure } from './failure.ts';

/** Servers lie in sbin, which Debian leaves off an ordinary user's PATH. */
const besidePath = ['/usr/local/sbin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The first of these programs that is installed. */
export function findProgram(...names: string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...besidePath];
  for (const name of names) {
    const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
    if (found) return found;
  }
  return undefined;
}

export interface Outcome {
  ok: boolean;
  output: string;
}

/** Runs a short program for what it prints on either stream; a program that is missing or too slow is not ok. */
export function ask(command: string, args: string[], timeoutMs = 15_000): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
  });
}

/** Runs a long step with its output in a log of its own; `failed` is the line to print if it fails. */
export async function runLogged(
  log: string,
  command: string,
  args: string[],
  failed: string,
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<void> {
  const path = logFile(log);
  mkdirSync(dirname(path), { recursive: true });
  const from = existsSync(path) ? statSync(path).size : 0;
  const out = openSync(path, 'a');
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', out, out], env: process.env, ...options });
    child.on('error', () => resolve(null));
    child.on('close', resolve);
  });
  closeSync(out);
  if (code !== 0) throw new EngineFailure(failed, { path, from });
}

/** The first number like 10.11.19 in a program's answer, as [10, 11, 19]. */
export function versionIn(text: string): number[] {
  return (/(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)?.slice(1) ?? []).map((part) => Number(part ?? 0));
}

export function atLeast(version: number[], wanted: number[]): boolean {
  for (const [i, part] of wanted.entries()) {
    const difference = (version[i] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return version.length > 0;
}

export const readVersion = async (command: string, ...args: string[]) => versionIn((await ask(command, args)).output);
