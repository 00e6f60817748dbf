import { resolve } from 'node:path';

/**
 * Runs `main` if `file` (from the checkout's root) is the program that was started, not merely imported. An error ends
 * the program with its message and exit code 2; the stack is shown for those that are bugs.
 */
export function runAsProgram(file: string, main: () => Promise<void>): void {
  if (process.argv[1] === undefined || resolve(process.argv[1]) !== resolve(file)) return;
  main().catch((error: unknown) => {
    const bug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
    console.error(error instanceof Error ? (bug ? error.stack : `${error.name}: ${error.message}`) : error);
    process.exit(2);
  });
}
