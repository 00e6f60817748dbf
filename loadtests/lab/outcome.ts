import { median } from '../bench/median.ts';
import { idOf } from './arguments.ts';
import type { Round } from './round.ts';
import type { Strategy } from './strategies.ts';
import type { Wait } from './waits.ts';

/** One strategy over all its rounds: medians, and the worst verdict. */
export interface Outcome {
  id: string;
  title: string;
  tps: number;
  p50: number;
  p95: number;
  p99: number;
  waits: Wait[];
  retries: number;
  cpu: number;
  verdict: Round['verdict'];
  /** Invariants that were violated in any round. */
  red: string[];
  /** What a broken strategy must violate; empty for a sound one. */
  breaks: string[];
  /** A sound strategy passed every round, a broken one was found out in every round. */
  asExpected: boolean;
  rounds: Round[];
}

export function outcomeOf(strategy: Strategy, rounds: Round[]): Outcome {
  const of = (figure: 'tps' | 'p50' | 'p95' | 'p99' | 'retries' | 'cpu') =>
    median(rounds.map((round) => round[figure]));
  const { breaks, title } = strategy;
  const worst = (['FAIL', 'INCONCLUSIVE'] as const).find((bad) => rounds.some(({ verdict }) => verdict === bad));
  return {
    id: idOf(strategy),
    title,
    tps: of('tps'),
    p50: of('p50'),
    p95: of('p95'),
    p99: of('p99'),
    waits: waitsOf(rounds),
    retries: of('retries'),
    cpu: of('cpu'),
    verdict: worst ?? 'PASS',
    red: [...new Set(rounds.flatMap(({ red }) => red))],
    breaks,
    asExpected: rounds.every((round) => isAsExpected(breaks, round)),
    rounds,
  };
}

/** A broken strategy must be found out by the invariants that it is known to violate, not by any odd one. */
export const isAsExpected = (breaks: string[], { verdict, red }: Pick<Round, 'verdict' | 'red'>): boolean =>
  breaks.length === 0 ? verdict === 'PASS' : verdict === 'FAIL' && breaks.every((invariant) => red.includes(invariant));

function waitsOf(rounds: Round[]): Wait[] {
  const places = [...new Set(rounds.flatMap(({ waits }) => waits.map(({ at }) => at)))];
  return places
    .map((at) => {
      const waits = rounds.flatMap((round) => round.waits.filter((wait) => wait.at === at));
      return { at, count: median(waits.map(({ count }) => count)), mean: median(waits.map(({ mean }) => mean)) };
    })
    .sort((a, b) => b.mean - a.mean);
}
