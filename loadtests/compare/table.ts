import { columns } from '../bench/table.ts';
import { count, figure, percent } from '../report/format.ts';
import type { Comparison } from './judge.ts';

/** One line for each figure, and what was lost last. */
export function comparisonText(reference: string, changed: string, comparisons: Comparison[]): string {
  const shown = (name: string, value: number) => (name.endsWith('/s') ? count(value) : figure(value));
  const rows = comparisons.map(
    ({ scenario, figure: name, reference: one, changed: other, ratio, interval, noise, result }) => [
      scenario,
      name,
      shown(name, one),
      shown(name, other),
      ratio.toFixed(3),
      interval.map((edge) => edge.toFixed(3)).join(' to '),
      percent(noise),
      result,
    ],
  );
  const losses = comparisons.filter(({ result }) => result === 'loss');
  return [
    `${reference.slice(0, 12)} against ${changed.slice(0, 12)}`,
    '',
    ...columns([['', '', 'before', 'after', 'ratio', 'interval', 'noise', ''], ...rows]),
    '',
    losses.length === 0
      ? 'no loss beyond the noise'
      : `lost: ${losses.map(({ scenario, figure: name, ratio }) => `${scenario} ${name} × ${ratio.toFixed(2)}`).join(', ')}`,
  ].join('\n');
}
