import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Jest's own summary, as far as it is needed. */
interface Summary {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numRuntimeErrorTestSuites: number;
}

export interface Counts {
  passed: number;
  failed: number;
  /** 0 if all tests passed. */
  code: number;
}

/**
 * Runs Jest with a configuration and more arguments, and closes with a line that counts its own results.
 * @returns the exit code: 0 if all tests passed.
 */
export async function runJest(config: string, args: string[]): Promise<number> {
  const counts = await countJest(config, args);
  printCounts(counts);
  return counts.code;
}

export const printCounts = ({ passed, failed }: Counts): void => console.log(`${passed} passed, ${failed} failed`);

export async function countJest(config: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Counts> {
  const directory = join(process.env.ONRUSH_DIR ?? '.onrush', 'results');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'test.json');
  rmSync(file, { force: true });
  const jest = join('node_modules', 'jest', 'bin', 'jest.js');
  const all = [jest, `--config=${config}`, '--json', `--outputFile=${file}`, '--verbose', '--forceExit', ...args];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...all], {
    stdio: ['inherit', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
  if (!existsSync(file)) throw new Error('the tests could not be started: see above');
  const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
  // A file that could not be run holds tests that nobody counted.
  const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  return { passed: summary.numPassedTests, failed, code: code !== 0 || failed > 0 ? 1 : 0 };
}
