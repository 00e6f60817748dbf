import type { ServerResponse } from 'node:http';

/** Each costs an event a second and a socket; more than these are no people. */
export const MOST_WATCHERS = 20;
/** Events in a row that a watcher may miss because it has not taken the one before, until it is let go. */
export const MOST_MISSED = 10;

/** Those who watch by server-sent events. Nothing is kept for one that is slow: it misses events, and then its place. */
export class Watchers {
  readonly #missed = new Map<ServerResponse, number>();

  get size(): number {
    return this.#missed.size;
  }

  /** False if there is no room. `left` is called when it is gone, whoever ended it. */
  add(res: ServerResponse, left: () => void): boolean {
    if (this.size >= MOST_WATCHERS) return false;
    this.#missed.set(res, 0);
    res.once('close', () => {
      this.#missed.delete(res);
      left();
    });
    res.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx and those who heed its header must not gather it.
      'X-Accel-Buffering': 'no',
    });
    return true;
  }

  /** To one, whatever it has taken so far. */
  static send(res: ServerResponse, event: string, json: string): void {
    res.write(`event: ${event}\ndata: ${json}\n\n`);
  }

  sendAll(event: string, json: string): void {
    for (const [res, missed] of this.#missed) {
      if (res.writableLength === 0) {
        this.#missed.set(res, 0);
        Watchers.send(res, event, json);
      } else if (missed < MOST_MISSED) this.#missed.set(res, missed + 1);
      else res.destroy();
    }
  }

  /** Says that the server is there although it has nothing to tell: the page would take its silence for a lost connection. */
  beat(): void {
    for (const res of this.#missed.keys()) if (res.writableLength === 0) Watchers.send(res, 'beat', '{}');
  }

  endAll(): void {
    for (const res of this.#missed.keys()) res.end();
  }
}
