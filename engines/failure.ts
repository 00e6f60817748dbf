import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Something the user can understand and act on: printed as one line, without a stack trace. */
export class EngineFailure extends Error {
  /** A log whose last lines tell the rest, and where this run's part of it begins (bytes). */
  readonly log: { path: string; from: number } | undefined;

  constructor(message: string, log?: { path: string; from: number }) {
    super(message);
    this.name = 'EngineFailure';
    this.log = log;
  }
}

/** Why another library's call failed, in its words; a connection refused on two addresses has a code and no message. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

const lastLines = 8;

/** What to print for a failure: its line, and where it has a log, the log's path and last lines. */
export function explain(failure: EngineFailure): string {
  const { log } = failure;
  if (!log || !existsSync(log.path)) return failure.message;
  const lines = readFileSync(log.path).subarray(log.from).toString('utf8').trimEnd().split('\n').slice(-lastLines);
  return [`${failure.message}; ${relative(process.cwd(), log.path)} ends:`, ...lines.map((line) => `  ${line}`)].join(
    '\n',
  );
}

/** Runs `main` when this program is the one that was started, and not when another module imports it. */
export function runAsProgram(file: string, main: (args: string[]) => Promise<number>): void {
  if (!process.argv[1]?.endsWith(file)) return;
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      console.error(error instanceof EngineFailure ? explain(error) : error);
      process.exitCode = 2;
    },
  );
}
