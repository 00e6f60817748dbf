import { columns } from '../bench/table.ts';
import { count, figure, place } from '../report/format.ts';
import { LOADS } from './loads.ts';
import type { Outcome } from './outcome.ts';
import { picture } from './picture.ts';
import { WRITES, type Write } from './strategy.ts';

/** What one run of the lab found. */
export interface LabResults {
  startedAt: string;
  seconds: number;
  rounds: number;
  machine: { label: string; value: string }[];
  engines: string[];
  outcomes: Outcome[];
}

/** The published system before and after its three changes; another machine, so only the way from one to the other compares. */
const PUBLISHED = { before: 7.54, after: 81.68 };
const STORY = ['order/before', 'order/user-lock-no-index', 'order/user-lock-pool-10', 'order/user-lock'];

const HEAD = ['strategy', 'TPS', 'p95 ms', 'lock wait, mean ms', 'run again', 'CPU µs', 'verdict'];

/** For a terminal. */
export function labText({ outcomes }: LabResults): string {
  return [
    ...byWrite(outcomes).flatMap(([write, of]) => [
      '',
      `${write}: ${LOADS[write].title}`,
      ...columns([HEAD, ...of.map((outcome) => [outcome.id.slice(write.length + 1), ...cells(outcome)])]),
    ]),
    ...storyLines(outcomes),
    '',
    ...picture(byWrite(outcomes)),
    '',
    ...outcomes.filter(({ asExpected }) => !asExpected).map((outcome) => `- ${surprise(outcome)}`),
    `${outcomes.filter(({ asExpected }) => asExpected).length} of ${outcomes.length} strategies as expected`,
  ].join('\n');
}

/** For docs/lab.md. */
export function labMarkdown({ outcomes }: LabResults): string {
  const drawn = ['```', ...picture(byWrite(outcomes)), '```', ''];
  const lines = byWrite(outcomes).flatMap(([write, of]) => [
    `**${write}**: ${LOADS[write].title}.`,
    '',
    ...markdown([
      ['strategy', 'what it is', ...HEAD.slice(1)],
      ...of.map((outcome) => [`\`${outcome.id.slice(write.length + 1)}\``, outcome.title, ...cells(outcome)]),
    ]),
    '',
  ]);
  const story = storyOf(outcomes);
  return [...drawn, ...lines, ...(story ? markdown(story) : [])].join('\n');
}

function cells({ tps, p95, waits, retries, cpu, verdict, red }: Outcome): string[] {
  const shown = waits.filter(({ mean }) => mean >= 0.05).map(({ at, mean }) => `${place(at)} ${figure(mean)}`);
  return [
    figure(tps),
    figure(p95),
    shown.join(', ') || '–',
    count(retries),
    count(cpu),
    red.length > 0 ? `${verdict}: ${red.join(', ')}` : verdict,
  ];
}

function surprise({ id, breaks, verdict, red, rounds }: Outcome): string {
  const reasons = [...new Set(rounds.flatMap((round) => round.reasons))].join('; ');
  return breaks.length === 0
    ? `${id} should pass: ${verdict}, ${reasons}`
    : `${id} should violate ${breaks.join(', ')} in every round: ${verdict}, ${red.join(', ') || 'nothing'} in some`;
}

function byWrite(outcomes: Outcome[]): [Write, Outcome[]][] {
  return WRITES.map((write): [Write, Outcome[]] => [
    write,
    outcomes.filter(({ id }) => id.startsWith(`${write}/`)),
  ]).filter(([, of]) => of.length > 0);
}

/** The three changes of the published system, one after the other, if all four were run. */
function storyOf(outcomes: Outcome[]): string[][] | undefined {
  const steps = STORY.map((id) => outcomes.find((outcome) => outcome.id === id));
  if (!steps.every((step) => step !== undefined)) return undefined;
  const [first] = steps as [Outcome];
  const published = [figure(PUBLISHED.before), '', '', figure(PUBLISHED.after)];
  return [
    ['orders', 'TPS', '×', 'p95 ms', 'published TPS'],
    ...steps.map(({ title, tps, p95 }, at) => [
      title,
      figure(tps),
      (tps / first.tps).toFixed(1),
      figure(p95),
      published[at] ?? '',
    ]),
  ];
}

function storyLines(outcomes: Outcome[]): string[] {
  const story = storyOf(outcomes);
  return story ? ['', 'the published changes, one after the other', ...columns(story)] : [];
}

const markdown = ([head = [], ...rows]: string[][]): string[] =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
