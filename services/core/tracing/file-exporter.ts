import { appendFile, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** A file that has become so long is put aside, and the one put aside before is gone. Bytes. */
const LONGEST = 32 * 1024 * 1024;
/** Files of processes that ended so long ago are removed by the next that starts. Milliseconds. */
const LIFE = 24 * 3600 * 1000;

/**
 * Spans as OTLP in JSON, a batch a line, in a file of this process: for `npm run explain` where there is no trace store.
 * The collector's otlpjsonfile receiver reads it too.
 */
export class FileExporter implements SpanExporter {
  readonly #file: string;
  #written = 0;
  #pending = Promise.resolve();

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > LIFE)
        rmSync(path, { force: true });
    }
    this.#file = join(directory, `${Date.now().toString(36)}-${process.pid}.jsonl`);
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const line = JsonTraceSerializer.serializeRequest(spans);
    if (!line) {
      done({ code: ExportResultCode.FAILED });
      return;
    }
    this.#pending = this.#pending
      .then(() => this.#append(Buffer.concat([line, Buffer.from('\n')])))
      .then(
        () => done({ code: ExportResultCode.SUCCESS }),
        (error: Error) => done({ code: ExportResultCode.FAILED, error }),
      );
  }

  #append(line: Buffer): Promise<void> {
    if (this.#written > LONGEST) {
      renameSync(this.#file, this.#file.replace('.jsonl', '.before.jsonl'));
      this.#written = 0;
    }
    this.#written += line.length;
    return new Promise((resolve, reject) => {
      appendFile(this.#file, line, (error) => (error ? reject(error) : resolve()));
    });
  }

  async shutdown(): Promise<void> {
    await this.#pending;
  }
}
