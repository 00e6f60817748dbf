import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { BenchFailure } from '../bench/failure.ts';
import { median } from '../bench/median.ts';
import type { Results } from '../report/results.ts';

const LEDGER = 'loadtests/results/ledger.jsonl';

/** One line of the ledger: what one commit did on one machine. Lines are only ever added. */
export interface Entry {
  at: string;
  /** Ends with a plus where the program had changes that no commit holds. */
  commit: string;
  machine: { cpu: string; cores: number; node: string; engines: string[] };
  verdict: Results['verdict'];
  scenarios: Record<string, EntryScenario>;
}

export interface EntryScenario {
  /** Of so many rounds; medians, and the share of the median by which rounds differ (most minus least). */
  rounds: number;
  perSecond: number;
  spread: number;
  /** Over the raw engine in the same round; null where there is none. */
  ratioToRaw: number | null;
  /** Over bare Express: rate, and API CPU of a request. */
  ratioToBare: number | null;
  cpuToBare: number | null;
  apiMicroseconds: number | null;
  p99: number;
}

export function entryOf(commit: string, results: Results): Entry {
  const scenarios = results.scenarios.map(({ name, rounds, apis, raw, bare, cpu }) => {
    const rates = rounds?.map(({ perSecond }) => perSecond) ?? [apis[0]?.acknowledgedPerSecond ?? 0];
    const middle = median(rates);
    return [
      name,
      {
        rounds: rates.length,
        perSecond: rounded(middle, 1),
        spread: rounded((Math.max(...rates) - Math.min(...rates)) / middle, 1000),
        ratioToRaw: raw ? rounded(raw.ratio, 1000) : null,
        ratioToBare: bare ? rounded(bare.ratio, 1000) : null,
        cpuToBare: bare && cpu ? rounded(bare.cpuRatio, 1000) : null,
        apiMicroseconds: cpu ? rounded(cpu.microsecondsPerRequest, 10) : null,
        p99: rounded(apis[0]?.client.p99 ?? 0, 10),
      },
    ] as const;
  });
  const engines = results.engines.map(({ version }) => version);
  return {
    at: results.startedAt,
    commit,
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, node: process.versions.node, engines },
    verdict: results.verdict,
    scenarios: Object.fromEntries(scenarios),
  };
}

const rounded = (value: number, parts: number): number => Math.round(value * parts) / parts;

export const record = (entry: Entry): void => appendFileSync(LEDGER, `${JSON.stringify(entry)}\n`);

export function readLedger(path = LEDGER): Entry[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

/** The commit of the last entry that is a commit's. @throws BenchFailure */
export function lastCommit(entries: Entry[]): string {
  const last = entries.findLast(({ commit }) => !commit.endsWith('+'));
  if (!last) throw new BenchFailure(`${LEDGER} holds no commit to compare with: --profile saturate --record adds one`);
  return last.commit;
}
