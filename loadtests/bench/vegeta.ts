import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inState } from '../../engines/directory.ts';
import type { ApiName } from '../k6/lib/slo.ts';
import type { K6Requests, K6Summary } from '../k6/lib/summary.ts';
import { startGenerator } from './generator.ts';
import type { LoadRun } from './load.ts';

/** One write of a load at a constant rate. */
export interface Write {
  path: string;
  body: Record<string, unknown>;
  /** Won that it moves, where the body says so. */
  won: number;
}

export interface RateLoad {
  api: ApiName;
  /** Requests a second, sent whatever the answers. */
  rate: number;
  seconds: number;
  write(nth: number): Write;
}

/** One line of `vegeta encode`. */
interface Result {
  code: number;
  /** Nanoseconds. */
  latency: number;
  error: string;
  /** Base64. */
  body: string | null;
}

/** An answer that takes longer counts as a timeout. Seconds. */
const TIMEOUT = 10;

/**
 * Sends writes at a constant rate, each under a key of its own and once: latency then includes no pause of the generator's for
 * answers that are late. What came back is read after the load.
 */
export async function runVegeta(
  vegeta: string,
  baseUrl: string,
  load: RateLoad,
  signal: AbortSignal,
  onStart: (pid: number) => void,
): Promise<LoadRun> {
  const results = inState('run', `vegeta-${process.pid}.bin`);
  rmSync(results, { force: true });
  try {
    const { code, said, sentWon } = await attack(vegeta, baseUrl, load, results, signal, onStart);
    if (code !== 0) return { summary: undefined, crash: `vegeta ended with ${code}: ${said}` };
    return { summary: await summaryOf(vegeta, results, load, sentWon), crash: undefined };
  } finally {
    rmSync(results, { force: true });
  }
}

async function attack(
  vegeta: string,
  baseUrl: string,
  { rate, seconds, write }: RateLoad,
  results: string,
  signal: AbortSignal,
  onStart: (pid: number) => void,
) {
  const args = ['attack', '-lazy', '-format=json', `-rate=${rate}/1s`, `-duration=${seconds}s`, `-timeout=${TIMEOUT}s`];
  const generator = startGenerator(
    vegeta,
    [...args, `-output=${results}`],
    { env: { GOGC: '400' }, stdin: 'pipe' },
    signal,
    onStart,
  );
  const prefix = `vegeta-${randomBytes(8).toString('hex')}-`;
  let sentWon = 0;
  const targets = function* () {
    for (let nth = 0; nth < rate * seconds; nth++) {
      const { path, body, won } = write(nth);
      sentWon += won;
      yield `${JSON.stringify({
        method: 'POST',
        url: baseUrl + path,
        header: { 'Content-Type': ['application/json'], 'Idempotency-Key': [`${prefix}${nth}`] },
        body: Buffer.from(JSON.stringify(body)).toString('base64'),
      })}\n`;
    }
  };
  // A vegeta that ends early breaks the pipe; its exit code tells.
  await pipeline(
    Readable.from(targets(), { objectMode: true, highWaterMark: 256 }),
    generator.stdin as NodeJS.WritableStream,
  ).catch(() => {});
  return { ...(await generator.ended), sentWon };
}

async function summaryOf(
  vegeta: string,
  results: string,
  { api, seconds }: RateLoad,
  sentWon: number,
): Promise<K6Summary> {
  const child = spawn(vegeta, ['encode', '--to=json', results], { stdio: ['ignore', 'pipe', 'inherit'] });
  const counters: Record<string, number> = { [`${api}_sent`]: 0, [`${api}_acknowledged`]: 0 };
  const count = (name: string, by = 1) => {
    counters[`${api}_${name}`] = (counters[`${api}_${name}`] ?? 0) + by;
  };
  if (api === 'charge') count('sent_won', sentWon);
  const latencies: number[] = [];
  let failed = 0;
  for await (const line of createInterface(child.stdout)) {
    const { code, latency, error, body } = JSON.parse(line) as Result;
    latencies.push(latency / 1e6);
    count('sent');
    if (code >= 200 && code < 300) {
      count('acknowledged');
      if (api !== 'coupon') count('acknowledged_won', wonOf(body));
    } else if (code >= 400 && code < 500) count(`refused_${codeOf(body)}`);
    else {
      failed++;
      if (code === 0) count(/timeout|deadline/i.test(error) ? 'error_timeout' : 'error_connection');
      else count(code === 503 ? 'error_http_503' : 'error_http_5xx');
    }
  }
  return { seconds, dropped: 0, counters, thresholds: [], requests: { [api]: requestsOf(latencies, failed, seconds) } };
}

const parsed = (body: string | null): Record<string, unknown> =>
  JSON.parse(Buffer.from(body ?? '', 'base64').toString() || '{}');
const codeOf = (body: string | null): string => String(parsed(body).code);

function wonOf(body: string | null): number {
  const { chargedAmount, finalAmount } = parsed(body);
  return Number(chargedAmount ?? finalAmount);
}

function requestsOf(latencies: number[], failed: number, seconds: number): K6Requests {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return {
    count: sorted.length,
    perSecond: sorted.length / seconds,
    failed,
    avg: sorted.reduce((sum, ms) => sum + ms, 0) / Math.max(1, sorted.length),
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: sorted.at(-1) ?? 0,
  };
}
