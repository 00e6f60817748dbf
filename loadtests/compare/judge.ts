import { median } from '../bench/median.ts';
import { medianInterval } from './interval.ts';

/** One figure of each side in one round: the reference twice, and what is compared with it. */
export interface Triple {
  reference: number;
  again: number;
  changed: number;
}

export interface Comparison {
  scenario: string;
  figure: string;
  /** Medians. */
  reference: number;
  changed: number;
  /** Changed over reference, and between what its median lies. */
  ratio: number;
  interval: [number, number];
  /** How far the reference is from itself: a ratio that may come of nothing. */
  noise: number;
  result: 'loss' | 'gain' | 'same';
}

/**
 * Judges one figure over all rounds. A loss or a gain is what exceeds the measured noise: the interval of the ratio leaves out 1,
 * and the ratio lies beyond the interval in which the reference differs from itself.
 * @param better whether more of it or less of it is better.
 */
export function compare(scenario: string, figure: string, better: 'more' | 'less', rounds: Triple[]): Comparison {
  const logs = rounds.map(({ reference, again, changed }) => Math.log(changed / Math.sqrt(reference * again)));
  const itself = rounds.map(({ reference, again }) => Math.log(again / reference));
  const [low, high] = medianInterval(logs);
  const noise = Math.max(...medianInterval(itself).map(Math.abs));
  const middle = median(logs);
  const differs = (low > 0 || high < 0) && Math.abs(middle) > noise;
  const worse = better === 'more' ? middle < 0 : middle > 0;
  return {
    scenario,
    figure,
    reference: median(rounds.flatMap(({ reference, again }) => [reference, again])),
    changed: median(rounds.map(({ changed }) => changed)),
    ratio: Math.exp(middle),
    interval: [Math.exp(low), Math.exp(high)],
    noise: Math.exp(noise) - 1,
    result: differs ? (worse ? 'loss' : 'gain') : 'same',
  };
}
