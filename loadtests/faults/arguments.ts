import { parseArgs } from 'node:util';
import { type EngineName, engineNames } from '../../engines/engines.ts';
import { API_NAMES, type ApiName } from '../k6/lib/slo.ts';
import { FAULT_KINDS, type Fault, type FaultKind, REDIS_KINDS } from './fault.ts';

export const USAGE = `npm run rush -- [faults] [options]
  Load on the three APIs at once, faults in the engines beneath them, and the verdict. The engines are this command's
  own, under .onrush/faults.
  --kill ENGINE@START[+LENGTH]        SIGKILL, started again after LENGTH:  --kill redis@10s   --kill mysql@10s+3s
  --pause, --reset, --black-hole, --slow ENGINE@START[+LENGTH]
             SIGSTOP; every connection reset, once a second; connections taken and swallowed; 200 ms later each way
  --flush redis@START                 FLUSHALL
  --failover redis@START[+LENGTH]     a replica stops following, and takes over after LENGTH
             ENGINE is mysql, redis or kafka; LENGTH is 5s unless given; each may be given several times
  --seconds N      length of the load (default: 15 s after the last fault, at least 20)
  --rate N         requests a second to each of coupon and charge, and half as many orders (default 40)
  --processes N    API processes, each with the workers too (default 2)
  --matrix [FILE]  each engine × kill, pause, reset, black-hole, slow: 15 runs, and their table in Markdown
Exit code: 0 PASS, 1 FAIL, 2 INCONCLUSIVE or an error.`;

export interface RushArguments {
  faults: Fault[];
  seconds: number;
  rates: Record<ApiName, number>;
  processes: number;
  /** Where the table goes; undefined for a single run. */
  matrix: string | undefined;
}

export class BadArgument extends Error {
  override name = 'BadArgument';
}

const LENGTH = 5;
const AFTERWARDS = 15;
const LEAST = 20;
const MATRIX_FILE = '.onrush/results/fault-matrix.md';

/** @throws BadArgument whose message names the option, what was given and what was expected. */
export function parseArguments(args: string[]): RushArguments | 'help' {
  const { values, positionals } = parsed(args);
  if (values.help) return 'help';
  if (positionals.length > (values.matrix ? 1 : 0)) throw new BadArgument(`what is "${positionals[0]}"? See --help`);
  const faults = FAULT_KINDS.flatMap((kind) => (values[kind] ?? []).map((text) => parseFault(kind, text)));
  if (values.matrix && faults.length > 0) throw new BadArgument('--matrix chooses its faults itself');
  refuseOverlaps(faults);
  const last = Math.max(0, ...faults.map(({ at, lasts }) => at + lasts));
  const seconds = whole('--seconds', values.seconds, 3_600) ?? Math.max(LEAST, last + AFTERWARDS);
  const beyond = faults.find(({ at }) => at >= seconds);
  if (beyond) throw new BadArgument(`--${beyond.kind} at ${beyond.at} s: the load ends at ${seconds} s (--seconds)`);
  const rate = whole('--rate', values.rate, 1_000) ?? 40;
  return {
    faults: faults.sort((a, b) => a.at - b.at),
    seconds,
    rates: { coupon: rate, charge: rate, order: Math.ceil(rate / 2) },
    processes: whole('--processes', values.processes, 8) ?? 2,
    matrix: values.matrix ? (positionals[0] ?? MATRIX_FILE) : undefined,
  };
}

export const perSecond = (rates: Record<ApiName, number>): string =>
  API_NAMES.map((api) => `${api} ${rates[api]}/s`).join(', ');

function parseFault(kind: FaultKind, text: string): Fault {
  const expected = `expected ENGINE@START or ENGINE@START+LENGTH, as in --${kind} redis@10s or --${kind} redis@10s+5s`;
  const [, engine, start, length] = /^([a-z]+)@(\d{1,4})s?(?:\+(\d{1,4})s?)?$/.exec(text) ?? [];
  if (!engine || !start) throw new BadArgument(`--${kind} ${text}: ${expected}`);
  if (!engineNames.includes(engine as EngineName))
    throw new BadArgument(`--${kind} ${text}: there is no engine "${engine}"; expected ${engineNames.join(', ')}`);
  if (REDIS_KINDS.includes(kind as never) && engine !== 'redis')
    throw new BadArgument(`--${kind} ${text}: only redis can be given`);
  if (kind === 'flush' && length) throw new BadArgument(`--flush ${text}: it has no length`);
  const lasts = kind === 'flush' ? 0 : Number(length ?? LENGTH);
  return { kind, engine: engine as EngineName, at: Number(start), lasts };
}

/** An engine that is down cannot be paused, and the end of one fault would be the end of the other. */
function refuseOverlaps(faults: Fault[]): void {
  for (const fault of faults)
    for (const other of faults)
      if (
        fault !== other &&
        fault.engine === other.engine &&
        fault.at <= other.at &&
        other.at <= fault.at + fault.lasts
      )
        throw new BadArgument(
          `--${fault.kind} ${fault.engine}@${fault.at}s+${fault.lasts}s and --${other.kind} ${other.engine}@${other.at}s overlap: one fault of an engine at a time`,
        );
}

function parsed(args: string[]) {
  const list = { type: 'string', multiple: true } as const;
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        kill: list,
        pause: list,
        reset: list,
        'black-hole': list,
        slow: list,
        flush: list,
        failover: list,
        seconds: text,
        rate: text,
        processes: text,
        matrix: flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new BadArgument((error as Error).message);
  }
}

function whole(option: string, given: string | undefined, most: number): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(given) || Number(given) > most)
    throw new BadArgument(`${option} ${given}: expected a whole number from 1 to ${most}`);
  return Number(given);
}
