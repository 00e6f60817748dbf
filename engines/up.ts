import { type Choice, chooseKinds, placesFor } from './choose.ts';
import { composeUp } from './compose.ts';
import {
  type EngineName,
  type Engines,
  endpointVariables,
  engineNames,
  labels,
  type Place,
  type Places,
  type Reading,
} from './engines.ts';
import { EngineFailure, runAsProgram } from './failure.ts';
import { withLock } from './lock.ts';
import { type Daemon, runningPid } from './native/daemon.ts';
import { prepareNative, startNative } from './native/start.ts';
import { writeEnvironment, writeRecord } from './record.ts';
import { readEngine } from './running/read.ts';
import { masked, say } from './say.ts';

/**
 * Makes MySQL, Redis and Kafka answer and tells where they are: starts those that do not run, leaves alone those that
 * do. Throws EngineFailure, whose message is one line for the user, if one cannot be had.
 */
export async function up(): Promise<Engines> {
  return await withLock(async () => {
    const choices = await chooseKinds();
    const places = await placesFor(choices);
    for (const line of chosen(choices)) say(line);
    writeRecord(places);
    const readings = await startAll(places);
    writeEnvironment(places);
    return describe(places, readings);
  });
}

/** One line if all engines were chosen alike, else one for each. */
function chosen(choices: Record<EngineName, Choice>): string[] {
  const words = engineNames.map((name) => `${choices[name].kind} (${choices[name].why})`);
  if (new Set(words).size === 1) return [`engines: ${words[0]}`];
  return engineNames.map((name, i) => `${labels[name]}: ${words[i]}`);
}

async function startAll(places: Places): Promise<Record<EngineName, Reading>> {
  const readings = {} as Record<EngineName, Reading>;
  const compose: EngineName[] = [];
  const native = new Map<EngineName, Daemon | undefined>();

  // Preparing may install packages and takes its turn; only the starts run side by side.
  for (const name of engineNames) {
    const place = places[name];
    const answer = await readEngine(name, place).catch((error: Error) => error);
    if (!(answer instanceof Error) && (place.kind !== 'native' || (await runningPid(name)) !== undefined)) {
      readings[name] = answer;
      say(`${labels[name]}: ${place.kind === 'external' ? 'answers' : 'already running'} at ${masked(place.endpoint)}`);
    } else if (place.kind === 'external') {
      throw new EngineFailure(
        `${labels[name]} does not answer at ${masked(place.endpoint)}, which ${endpointVariables[name]} names: ${(answer as Error).message}`,
      );
    } else if (place.kind === 'compose') compose.push(name);
    else native.set(name, (await runningPid(name)) === undefined ? await prepareNative(name) : undefined);
  }

  const starts = [...native].map(async ([name, daemon]) => {
    readings[name] = await startNative(name, places[name], daemon);
    say(`${labels[name]}: started, answers at ${masked(places[name].endpoint)}`);
  });
  if (compose.length > 0) starts.push(startCompose(compose, places, readings));
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return readings;
}

async function startCompose(names: EngineName[], places: Places, readings: Record<EngineName, Reading>): Promise<void> {
  await composeUp(names);
  for (const name of names) {
    readings[name] = await readEngine(name, places[name]).catch((error) => {
      throw new EngineFailure(
        `${labels[name]} runs in Docker Compose but does not answer at ${masked(places[name].endpoint)}: ${error.message}`,
      );
    });
    say(`${labels[name]}: started, answers at ${masked(places[name].endpoint)}`);
  }
}

/** The settings as one line: `innodb_flush_log_at_trx_commit=1, log_bin=OFF`. */
export function durabilityLine(durability: Record<string, string>): string {
  return Object.entries(durability)
    .map(([setting, value]) => `${setting}=${value}`)
    .join(', ');
}

function describe(places: Places, readings: Record<EngineName, Reading>): Engines {
  const kinds = new Set(engineNames.map((name) => places[name].kind));
  const about = (place: Place, { version, durability }: Reading) =>
    `${version} ${place.kind} (${durabilityLine(durability)})`;
  const { mysql, redis, kafka } = places;
  return {
    kind: kinds.size === 1 ? mysql.kind : 'mixed',
    mysql: { kind: mysql.kind, url: mysql.endpoint, ...readings.mysql },
    redis: { kind: redis.kind, url: redis.endpoint, ...readings.redis },
    kafka: { kind: kafka.kind, brokers: kafka.endpoint, ...readings.kafka },
    description: engineNames.map((name) => about(places[name], readings[name])).join('; '),
  };
}

runAsProgram('engines/up.ts', async () => {
  const { mysql, redis, kafka } = await up();
  console.log(`engines are up: ${mysql.version}, ${redis.version}, ${kafka.version}`);
  return 0;
});
