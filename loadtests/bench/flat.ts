import type { ResourcePoint } from '../report/results.ts';

/** What grew in a long run: from its second fifth, when caches are warm, to its last one. */
export interface Flatness {
  heap: { from: number; to: number };
  rss: { from: number; to: number };
  descriptors: { from: number; to: number };
  /** Share of one core's time. */
  gc: number;
  /** One line for each thing that grew. */
  growing: string[];
}

/** Fewer looks than that say nothing. */
const LEAST = 25;
/** Growth that is none: a tenth, and so much besides. */
const SHARE = 0.1;
const MEMORY = 16 * 2 ** 20;
const SOCKETS = 10;

/** Undefined if the run was too short to tell. */
export function flatness(points: ResourcePoint[]): Flatness | undefined {
  if (points.length < LEAST) return undefined;
  const fifth = Math.floor(points.length / 5);
  const early = points.slice(fifth, 2 * fifth);
  const late = points.slice(-fifth);
  const of = (pick: (point: ResourcePoint) => number, summed: (values: number[]) => number) => ({
    from: summed(early.map(pick)),
    to: summed(late.map(pick)),
  });
  // The heap's floor: what was left after the garbage had gone.
  const heap = of(({ heapBytes }) => heapBytes, floor);
  const rss = of(({ rssBytes }) => rssBytes, middle);
  const descriptors = of((point) => point.descriptors, middle);
  const first = points[0] as ResourcePoint;
  const last = points.at(-1) as ResourcePoint;
  const grew = ({ from, to }: { from: number; to: number }, besides: number) => to > from * (1 + SHARE) + besides;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const growing: string[] = [];
  if (grew(heap, MEMORY)) growing.push(`the heap grew from ${mib(heap.from)} to ${mib(heap.to)}`);
  if (grew(rss, 4 * MEMORY)) growing.push(`resident memory grew from ${mib(rss.from)} to ${mib(rss.to)}`);
  if (grew(descriptors, SOCKETS))
    growing.push(`open files and sockets grew from ${descriptors.from} to ${descriptors.to}`);
  return { heap, rss, descriptors, gc: (last.gcSeconds - first.gcSeconds) / (last.second - first.second), growing };
}

const floor = (values: number[]): number => Math.min(...values);
const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
