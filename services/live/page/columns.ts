import type { Point } from '../sample.ts';

export type Column = (number | null)[];

/** What the charts show, in seconds. */
export const SPAN = 600;
/** Points further apart than this have a gap between them, which no line crosses. Seconds. */
const APART = 3;

/** The points of the last ten minutes, turned into the columns that the charts draw. */
export class Columns {
  readonly times: number[] = [];
  readonly requests: Column[];
  readonly p95: Column[];
  readonly waiting: Column[];
  readonly backlog: Column[];
  readonly #all: Column[];

  constructor(apis: number, places: number, backlogs: number) {
    const columns = (many: number): Column[] => Array.from({ length: many }, () => []);
    this.requests = columns(apis);
    this.p95 = columns(apis);
    this.waiting = columns(places);
    this.backlog = columns(backlogs);
    this.#all = [...this.requests, ...this.p95, ...this.waiting, ...this.backlog];
  }

  add({ at, requests, p95, waiting, backlog }: Point): void {
    const time = at / 1000;
    const last = this.times.at(-1);
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > APART) this.#push(last + 1, []);
    this.#push(time, [...requests, ...p95, ...waiting, ...backlog]);
    const first = this.times.findIndex((one) => one > time - SPAN);
    if (first > 0) for (const column of [this.times, ...this.#all]) column.splice(0, first);
  }

  #push(time: number, values: Column): void {
    this.times.push(time);
    for (const [n, column] of this.#all.entries()) column.push(values[n] ?? null);
  }
}
