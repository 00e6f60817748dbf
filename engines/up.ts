import { type Choice, chooseKinds, placesFor } from './choose.ts';
import { composeRunning, composeUp } from './compose.ts';
import {
  durabilityLine,
  type EngineName,
  type Engines,
  endpointVariables,
  engineNames,
  labels,
  type Place,
  type Places,
  type Reading,
} from './engines.ts';
import { EngineFailure, reason, runAsProgram } from './failure.ts';
import { withLock } from './lock.ts';
import { type Daemon, runningPid } from './native/daemon.ts';
import { prepareNative, startNative } from './native/start.ts';
import { assertPortsFree } from './ports.ts';
import { endpointSetByUser, writeEnvironment, writeRecord } from './record.ts';
import { readEngine } from './running/read.ts';
import { masked, say } from './say.ts';

/**
 * Makes MySQL, Redis and Kafka answer and tells where they are: starts those that do not run, leaves alone those that
 * do. Throws EngineFailure, whose message is one line for the user, if one cannot be had.
 */
export async function up(): Promise<Engines> {
  return await withLock(async () => {
    const choices = await chooseKinds();
    const { use, record } = await placesFor(choices);
    for (const line of chosen(choices)) say(line);
    // Before anything is recorded: an endpoint that does not answer is not to be tried again by the next `up`.
    const readings = await readExternal(use);
    writeRecord(record);
    await startOwn(use, readings);
    writeEnvironment(record);
    return describe(use, readings as Readings);
  });
}

type Readings = Record<EngineName, Reading>;

/** One line if all engines were chosen alike, else one for each. */
function chosen(choices: Record<EngineName, Choice>): string[] {
  const words = engineNames.map((name) => `${choices[name].kind} (${choices[name].why})`);
  if (new Set(words).size === 1) return [`engines: ${words[0]}`];
  return engineNames.map((name, i) => `${labels[name]}: ${words[i]}`);
}

async function readExternal(places: Places): Promise<Partial<Readings>> {
  const readings: Partial<Readings> = {};
  for (const name of engineNames) {
    const place = places[name];
    if (place.kind !== 'external') continue;
    readings[name] = await readEngine(name, place).catch((error) => {
      const source = endpointSetByUser(name) ? 'set' : 'as an earlier up was told; npm run down forgets it';
      const named = `${endpointVariables[name]} (${source})`;
      throw new EngineFailure(
        `${labels[name]} does not answer at ${masked(place.endpoint)}, ${named}: ${reason(error)}`,
      );
    });
    say(`${labels[name]}: answers at ${masked(place.endpoint)}`);
  }
  return readings;
}

/** Starts those of our own engines that do not run, and adds what each of them says to the readings. */
async function startOwn(places: Places, readings: Partial<Readings>): Promise<void> {
  const own = engineNames.filter((name) => places[name].kind !== 'external');
  const composed = own.filter((name) => places[name].kind === 'compose');
  const containers = composed.length > 0 ? await composeRunning() : [];
  const toCompose: EngineName[] = [];
  const starts: Promise<void>[] = [];
  const started = (name: EngineName) => say(`${labels[name]}: started, answers at ${masked(places[name].endpoint)}`);

  // Preparing may install packages and takes its turn; the starts run side by side.
  const prepared: [EngineName, Daemon | undefined][] = [];
  for (const name of own) {
    const place = places[name];
    const runs = place.kind === 'compose' ? containers.includes(name) : (await runningPid(name)) !== undefined;
    const reading = runs ? await readEngine(name, place).catch(() => undefined) : undefined;
    if (reading) {
      readings[name] = reading;
      say(`${labels[name]}: already running at ${masked(place.endpoint)}`);
      continue;
    }
    if (!runs) await assertPortsFree(name, place.kind);
    if (place.kind === 'compose') toCompose.push(name);
    else prepared.push([name, runs ? undefined : await prepareNative(name)]);
  }
  for (const [name, daemon] of prepared) {
    starts.push(
      startNative(name, places[name], daemon).then((reading) => {
        readings[name] = reading;
        started(name);
      }),
    );
  }
  if (toCompose.length > 0) {
    starts.push(
      startCompose(toCompose, places).then((found) => {
        Object.assign(readings, found);
        toCompose.forEach(started);
      }),
    );
  }
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function startCompose(names: EngineName[], places: Places): Promise<Partial<Readings>> {
  await composeUp(names);
  const readings: Partial<Readings> = {};
  for (const name of names) {
    readings[name] = await readEngine(name, places[name]).catch((error) => {
      const where = masked(places[name].endpoint);
      throw new EngineFailure(
        `${labels[name]} runs in Docker Compose but does not answer at ${where}: ${reason(error)}` +
          ' (a volume made with another password? npm run down -- --wipe removes it)',
      );
    });
  }
  return readings;
}

function describe(places: Places, readings: Readings): Engines {
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
