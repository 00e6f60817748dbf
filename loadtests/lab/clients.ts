import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../services/core/ids.ts';
import { weightOfWrite } from '../verify/weight.ts';

/** One write that a client wants to make. */
export interface Call {
  path: string;
  body: { amount?: number; [field: string]: unknown };
}

/** Writes, their money in whole won, and that weighed by wallet. */
interface Sums {
  count: number;
  won: number;
  weighed: number;
}

/** What the clients saw. Writes are counted once however often they were sent. */
export interface Seen {
  sent: Sums;
  acknowledged: Sums;
  refused: Record<string, number>;
  /** Answers that are none: timeouts, broken connections, 5xx. Each was repeated under its key. */
  errors: number;
  /** Still without a definite answer after the last repetition. */
  unresolved: Sums;
}

/** Answers of the measured time. */
export interface Measured {
  seconds: number;
  /** Successes that arrived in it. */
  acknowledged: number;
  refused: number;
  /** Milliseconds of each attempt that began in it, whatever came of it. */
  latencies: number[];
  /** Cores that the clients themselves used. */
  cores: number;
}

/** A request without an answer is repeated so often, and each time waited for so long. */
const ATTEMPTS = 8;
const PATIENCE = 30_000;

/**
 * Clients that all send one write after the other, without pauses, each under a key of its own and repeated until the
 * answer is definite.
 *
 * Not k6, though it is the bench's: a strategy's rows, process and load last a few seconds here and follow one another by
 * the dozen, with phases that end when all was asked and not when time is up. And the generator shares the machine: k6
 * took 0.88 of two cores at 3,850 charges a second, this takes 0.5 at 3,200.
 */
export class Clients {
  readonly seen: Seen = {
    sent: { count: 0, won: 0, weighed: 0 },
    acknowledged: { count: 0, won: 0, weighed: 0 },
    refused: {},
    errors: 0,
    unresolved: { count: 0, won: 0, weighed: 0 },
  };
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #count: number;
  #measured: Measured | undefined;

  constructor(baseUrl: string, count: number) {
    this.#url = new URL(baseUrl);
    this.#agent = new Agent({ keepAlive: true, maxSockets: count });
    this.#count = count;
  }

  /** Calls `next(0)`, `next(1)`, … for so long; what runs then is awaited. `onMeasured` is told when measuring begins and ends. */
  async sendFor(
    { warmup, seconds }: { warmup: number; seconds: number },
    next: (n: number) => Call,
    onMeasured: (moment: 'began' | 'ended') => Promise<void>,
  ): Promise<Measured> {
    const measured: Measured = { seconds, acknowledged: 0, refused: 0, latencies: [], cores: 0 };
    let sending = true;
    let n = 0;
    const running = this.#all(async () => {
      while (sending) await this.#definite(next(n++));
    });
    await sleep(warmup * 1000);
    await onMeasured('began');
    this.#measured = measured;
    const began = performance.now();
    const used = process.cpuUsage();
    await sleep(seconds * 1000);
    sending = false;
    this.#measured = undefined;
    measured.seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(used);
    measured.cores = (user + system) / 1e6 / measured.seconds;
    await onMeasured('ended');
    await running;
    return measured;
  }

  /** Sends exactly these, as many at once as there are clients. */
  async sendAll(calls: Call[]): Promise<void> {
    let n = 0;
    await this.#all(async () => {
      for (let call = calls[n++]; call; call = calls[n++]) await this.#definite(call);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #all(client: () => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: this.#count }, client));
  }

  async #definite({ path, body }: Call): Promise<void> {
    const { seen } = this;
    const won = body.amount ?? 0;
    const weight = weightOfWrite({ path, body });
    const key = newId('lab');
    add(seen.sent, won, weight);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      // An attempt that begins in the measured time is measured, also if it ends later.
      const beganIn = this.#measured;
      const began = performance.now();
      const { status, text } = await this.#post(path, JSON.stringify(body), key);
      beganIn?.latencies.push(performance.now() - began);
      if (status >= 200 && status < 300) {
        const { chargedAmount, finalAmount } = JSON.parse(text) as { chargedAmount?: number; finalAmount?: number };
        add(seen.acknowledged, chargedAmount ?? finalAmount ?? 0, weight);
        if (this.#measured) this.#measured.acknowledged++;
        return;
      }
      if (status >= 400 && status < 500) {
        const { code } = JSON.parse(text) as { code: string };
        seen.refused[code] = (seen.refused[code] ?? 0) + 1;
        if (this.#measured) this.#measured.refused++;
        return;
      }
      seen.errors++;
      await sleep(100 * attempt * (0.75 + Math.random() / 2));
    }
    add(seen.unresolved, won, weight);
  }

  /** Status 0: no answer. */
  #post(path: string, text: string, key: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        'idempotency-key': key,
      };
      const { hostname: host, port } = this.#url;
      const post = request({ host, port, path, method: 'POST', agent: this.#agent, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
        answer.on('error', () => resolve({ status: 0, text: '' }));
      });
      post.setTimeout(PATIENCE, () => post.destroy(new Error('no answer in time')));
      post.on('error', () => resolve({ status: 0, text: '' }));
      post.end(text);
    });
  }
}

function add(sums: Sums, won: number, weight: number): void {
  sums.count++;
  sums.won += won;
  sums.weighed += won * weight;
}
