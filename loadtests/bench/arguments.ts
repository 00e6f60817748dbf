import { parseArgs } from 'node:util';
import { PROFILES, type Profile } from '../k6/lib/profiles.ts';
import { SCENARIO_NAMES, type ScenarioName, scenarioNamesOf } from './scenarios.ts';

export const USAGE = `npm run bench -- [options]
  --profile    quick (default: published pauses, half a minute each), published (its full stages), smoke (5 s each),
               saturate (no pauses, beside the raw engine's ceiling), soak (whole visits, half as many, for an hour; FAIL
               where memory or file descriptors grow)
  --only       ${SCENARIO_NAMES.join(', ')}: some of them, separated by commas
  --users      test-user-1 to test-user-N (default 100000; saturate 400000, with --capacity 1000000)
  --base-url   judge a deployment that already runs; DATABASE_URL, REDIS_URL and KAFKA_BROKERS say what it stands on
  --kube       the same in a cluster where the charts are installed: seed Job, TestRuns of the k6-operator, verifier Job
               (--context, --kube-namespace: kubectl's current context, onrush; --runners: pods that share the load, 2;
               --load-image: what the chart says, else onrush-load:0.1.0); seeds unless --no-seed
  --seed       replace the data by the test data set first, also with --base-url, and where DATABASE_URL names a database
               of your own: all that Onrush's tables hold there is deleted
  --no-seed    go on with the data that is there
  --keep       leave the APIs running
  --capacity   saturate's writes at a constant rate, raised step by step to the most that is served, and what limits it;
               then half of that rate
  --compare    a commit: its program and this one in turn (--repeat rounds, 7), rate and CPU of saturate’s writes; exit code
               1 where a loss exceeds the measured noise
  --gate       --compare with the last commit in loadtests/results/ledger.jsonl
  --record     saturate: add the figures to that ledger
  --repeat     saturate: this many rounds of raw engine and APIs in turn, medians are reported (default 1)
  --vus        smoke: percent of the published virtual users (default 100)
  --generator  saturate: wrk (default), or k6, which takes most of a core and so is itself what limits
  --seconds    length of each run: saturate (default 20 for the APIs, 10 for each raw one), smoke (5), soak (3600)
Results go to .onrush/results, or where ONRUSH_BENCH_RESULTS says. Exit code: 0 PASS, 1 FAIL, 2 INCONCLUSIVE or an error.`;

export type Generator = 'k6' | 'wrk';

export interface BenchArguments {
  profile: Profile;
  scenarios: ScenarioName[];
  users: number;
  baseUrl: string | undefined;
  seed: boolean;
  /** --seed itself was given: a database that is not this checkout's own may be emptied. */
  seedAsked: boolean;
  keep: boolean;
  repeat: number;
  seconds: number | undefined;
  generator: Generator;
  /** The commit that this program is compared with; `ledger`: the last one recorded. */
  compare: string | { ledger: true } | undefined;
  record: boolean;
  /** The scenarios' capacity is looked for, in place of their profile's load. */
  capacity: boolean;
  /** Of the published virtual users. */
  vusPercent: number | undefined;
  kube: KubeArguments | undefined;
}

export interface KubeArguments {
  context: string | undefined;
  namespace: string;
  runners: number;
  loadImage: string | undefined;
}

export class BadArgument extends Error {
  override name = 'BadArgument';
}

/** @throws BadArgument whose message names the option, what was given and what was expected. */
export function parseArguments(args: string[]): BenchArguments | 'help' {
  const given = parsed(args);
  if (given.help) return 'help';
  const limits = (['capacity', 'compare', 'gate', 'record'] as const).filter((option) => given[option] !== undefined);
  const [atTheLimit] = limits;
  if (limits.length > 1) throw new BadArgument(`--${limits[0]} and --${limits[1]} exclude each other`);
  const profile = oneOf('--profile', given.profile ?? (atTheLimit ? 'saturate' : 'quick'), PROFILES);
  if (atTheLimit && profile !== 'saturate')
    throw new BadArgument(`--${atTheLimit} is about saturate’s writes: it excludes --profile ${profile}`);
  if (given.compare === '') throw new BadArgument('--compare: expected a commit, a branch or a tag');
  const stray = (['base-url', 'no-seed', 'kube', 'capacity', 'keep', 'generator', 'seconds'] as const).find(
    (option) => given[option] !== undefined,
  );
  // It starts two programs of its own, one after the other, on the test data set.
  if ((given.compare || given.gate) && stray) throw new BadArgument(`--compare and --gate exclude --${stray}`);
  const possible = scenarioNamesOf(profile);
  const scenarios = given.only
    ? given.only.split(',').map((name) => oneOf('--only', name.trim(), possible))
    : scenarioNamesOf(profile, 'default');
  const baseUrl = given['base-url']?.replace(/\/+$/, '');
  if (baseUrl !== undefined && !/^https?:\/\//.test(baseUrl))
    throw new BadArgument(`--base-url ${baseUrl}: expected a URL that begins with http:// or https://`);
  if (given.seed && given['no-seed']) throw new BadArgument('--seed and --no-seed exclude each other');
  return {
    profile,
    scenarios,
    users: whole('--users', given.users) ?? usersOf(profile, given.capacity ?? false),
    baseUrl,
    seed: given.seed ?? (baseUrl === undefined && !given['no-seed']),
    seedAsked: given.seed ?? false,
    keep: given.keep ?? false,
    repeat: roundsOf(given.compare !== undefined || (given.gate ?? false), given.repeat),
    seconds: whole('--seconds', given.seconds),
    generator: generatorOf(profile, given.capacity ?? false, given.generator),
    capacity: given.capacity ?? false,
    compare: given.gate ? { ledger: true } : given.compare,
    record: given.record ?? false,
    vusPercent: vusOf(profile, given.vus),
    kube: kubeArguments(given, profile),
  };
}

/** Fewer rounds have no interval worth the name. */
const LEAST_COMPARED = 5;

function roundsOf(compared: boolean, given: string | undefined): number {
  const rounds = whole('--repeat', given) ?? (compared ? 7 : 1);
  if (compared && rounds < LEAST_COMPARED)
    throw new BadArgument(`--repeat ${rounds}: a comparison needs at least ${LEAST_COMPARED} rounds`);
  return rounds;
}

/** So many that a coupon's load finds users who have none yet. */
function usersOf(profile: Profile, capacity: boolean): number {
  if (capacity) return 1_000_000;
  return profile === 'saturate' ? 400_000 : 100_000;
}

function generatorOf(profile: Profile, capacity: boolean, given: string | undefined): Generator {
  if (given === undefined) return profile === 'saturate' ? 'wrk' : 'k6';
  const generator = oneOf('--generator', given, ['k6', 'wrk'] as const);
  if (generator === 'k6' && capacity) throw new BadArgument('--generator k6: --capacity sends by wrk');
  if (generator === 'wrk' && profile !== 'saturate')
    throw new BadArgument(`--generator wrk: ${profile} has pauses and retries, which only k6 knows; saturate has none`);
  return generator;
}

function vusOf(profile: Profile, given: string | undefined): number | undefined {
  if (given !== undefined && profile !== 'smoke')
    throw new BadArgument(`--vus ${given}: only smoke has no figures that depend on the number of users`);
  const percent = whole('--vus', given);
  if (percent !== undefined && percent > 100) throw new BadArgument(`--vus ${given}: expected 1 to 100`);
  return percent;
}

function kubeArguments(given: ReturnType<typeof parsed>, profile: Profile): KubeArguments | undefined {
  const only = ['context', 'kube-namespace', 'runners', 'load-image'] as const;
  if (!given.kube) {
    const stray = only.find((option) => given[option] !== undefined);
    if (stray) throw new BadArgument(`--${stray} means nothing without --kube`);
    return undefined;
  }
  if (given['base-url']) throw new BadArgument('--kube and --base-url exclude each other');
  if (profile === 'saturate')
    throw new BadArgument('--kube has no saturate: in a cluster the engine alone cannot be measured beside it');
  return {
    context: given.context,
    namespace: given['kube-namespace'] ?? 'onrush',
    runners: whole('--runners', given.runners) ?? 2,
    loadImage: given['load-image'],
  };
}

function parsed(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args,
      options: {
        profile: text,
        only: text,
        users: text,
        'base-url': text,
        seed: flag,
        'no-seed': flag,
        keep: flag,
        repeat: text,
        seconds: text,
        generator: text,
        vus: text,
        capacity: flag,
        compare: text,
        gate: flag,
        record: flag,
        kube: flag,
        context: text,
        'kube-namespace': text,
        runners: text,
        'load-image': text,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new BadArgument((error as Error).message);
  }
}

function oneOf<T extends string>(option: string, given: string, names: readonly T[]): T {
  if (!names.includes(given as T)) throw new BadArgument(`${option} ${given}: expected one of ${names.join(', ')}`);
  return given as T;
}

function whole(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,7}$/.test(given)) throw new BadArgument(`${option} ${given}: expected a whole number from 1`);
  return Number(given);
}
