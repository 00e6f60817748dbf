import { parseArgs } from 'node:util';
import { BadOption, parsed } from '../../services/core/options.ts';
import { STRATEGIES, type Strategy } from './strategies.ts';
import { WRITES, type Write } from './strategy.ts';

export const USAGE = `npm run lab -- [options]
  --only       ${WRITES.join(', ')}: some of the writes, separated by commas (default: all)
  --strategy   some strategies by name, or write/name, separated by commas (default: all of the writes)
  --seconds    length of the measured load of each round (default 5)
  --rounds     rounds of all strategies in turn; medians are printed (default 3)
  --users      users in the data set, from 1000 (default: 50000 for coupons, 1000 for charges, 100000 for orders, with
               three times as many items in their carts)
  --list       print the strategies and end
Results go to .onrush/results/lab. Exit code: 0 if every sound strategy passed and every broken one was found out, else 1;
2 on an error.`;

export interface LabArguments {
  strategies: Strategy[];
  seconds: number;
  rounds: number;
  users: number | undefined;
}

/** @throws BadOption whose message names the option, what was given and what was expected. */
export function parseLabArguments(args: string[]): LabArguments | 'help' | 'list' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parsed(() =>
    parseArgs({
      args,
      options: { only: text, strategy: text, seconds: text, rounds: text, users: text, list: flag, help: flag },
    }),
  );
  if (values.help) return 'help';
  if (values.list) return 'list';
  const writes = values.only === undefined ? [...WRITES] : names(values.only).map(writeNamed);
  const possible = STRATEGIES.filter(({ write }) => writes.includes(write));
  return {
    strategies: values.strategy === undefined ? possible : pick(possible, names(values.strategy)),
    seconds: whole('--seconds', values.seconds, 1, 600) ?? 5,
    rounds: whole('--rounds', values.rounds, 1, 100) ?? 3,
    users: whole('--users', values.users, 1_000, 1_000_000),
  };
}

/** The strategy called `write/name`. @throws BadOption */
export function strategyNamed(id: string): Strategy {
  const found = STRATEGIES.find((strategy) => idOf(strategy) === id);
  if (!found) throw new BadOption(`"${id}": expected one of ${STRATEGIES.map(idOf).join(', ')}`);
  return found;
}

export const idOf = ({ write, name }: Strategy): string => `${write}/${name}`;

/** In the order of the list, whatever the order they were asked for. */
function pick(possible: Strategy[], wanted: string[]): Strategy[] {
  for (const name of wanted)
    if (!possible.some((strategy) => strategy.name === name || idOf(strategy) === name))
      throw new BadOption(`--strategy ${name}: expected some of ${possible.map(idOf).join(', ')}`);
  return possible.filter((strategy) => wanted.includes(strategy.name) || wanted.includes(idOf(strategy)));
}

function writeNamed(name: string): Write {
  if (!WRITES.includes(name as Write)) throw new BadOption(`--only ${name}: expected some of ${WRITES.join(', ')}`);
  return name as Write;
}

const names = (list: string): string[] => list.split(',').map((name) => name.trim());

function whole(option: string, given: string | undefined, least: number, most: number): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(given) || Number(given) < least || Number(given) > most)
    throw new BadOption(`${option} ${given}: expected a whole number from ${least} to ${most}`);
  return Number(given);
}
