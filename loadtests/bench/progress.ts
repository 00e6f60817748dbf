/** One line that says how far it is: rewritten in place on a terminal, every fifth time in a log. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  #shown = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(line: string): void {
    if (this.#out.isTTY) this.#out.write(`\r\x1b[2K${line.slice(0, (this.#out.columns || 80) - 1)}`);
    else if (this.#shown % 5 === 0) this.#out.write(`${line}\n`);
    this.#shown++;
  }

  done(): void {
    if (this.#out.isTTY && this.#shown > 0) this.#out.write('\n');
    this.#shown = 0;
  }

  /** A line that stays. */
  say(line: string): void {
    this.done();
    this.#out.write(`${line}\n`);
  }
}
