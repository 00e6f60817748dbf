/** Progress goes to standard error: what a program prints on standard output stays its result. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** An endpoint that may be shown: without its password. */
export function masked(endpoint: string): string {
  return endpoint.replace(/(:\/\/[^:@/]*):[^@/]*@/, '$1:***@');
}
