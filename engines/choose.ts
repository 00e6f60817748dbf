import { composeUnavailable } from './compose.ts';
import { type EngineName, endpointVariables, engineNames, type Kind, labels, type Places } from './engines.ts';
import { EngineFailure } from './failure.ts';
import { runningPid } from './native/daemon.ts';
import { passwords } from './passwords.ts';
import { port } from './ports.ts';
import { endpointSetByUser, readRecord } from './record.ts';

export interface Choice {
  kind: Kind;
  /** The words behind the kind in what `up` prints. */
  why: string;
}

const kinds: Kind[] = ['compose', 'native', 'external'];

/** What ENGINES asks for; undefined if it leaves the choice to us. */
function asked(): Kind | undefined {
  const value = process.env.ENGINES;
  if (!value) return undefined;
  if (kinds.includes(value as Kind)) return value as Kind;
  throw new EngineFailure(`ENGINES=${value} is unknown: expected compose, native or external, or leave it unset`);
}

/**
 * Who is to run each engine: an endpoint the user gave, then what ENGINES asks for, then what the last `up` chose
 * (until `down`), then Compose where it works, then native.
 */
export async function chooseKinds(): Promise<Record<EngineName, Choice>> {
  const wanted = asked();
  const record = readRecord();
  const choices = {} as Record<EngineName, Choice>;
  const open: EngineName[] = [];
  for (const name of engineNames) {
    const variable = endpointVariables[name];
    const recorded = record?.[name].kind;
    if (endpointSetByUser(name)) choices[name] = { kind: 'external', why: `${variable} is set` };
    else if (wanted === 'external' && recorded !== 'external') {
      throw new EngineFailure(`ENGINES=external, but ${variable} is not set: give the endpoints of all three engines`);
    } else if (wanted === 'native' || wanted === 'external') choices[name] = { kind: wanted, why: `ENGINES=${wanted}` };
    else if (wanted === undefined && recorded) choices[name] = { kind: recorded, why: 'as before' };
    else open.push(name);
  }
  if (open.length === 0) return choices;

  const obstacle = await composeUnavailable(open);
  if (obstacle && wanted === 'compose') throw new EngineFailure(`ENGINES=compose, but ${obstacle}`);
  for (const name of open) {
    choices[name] = obstacle
      ? { kind: 'native', why: obstacle }
      : { kind: 'compose', why: wanted ? `ENGINES=${wanted}` : 'Docker Compose works here' };
  }
  return choices;
}

/** Where each engine is, or will be once it runs. One that runs stays where it is: moving it needs a `down`. */
export async function placesFor(choices: Record<EngineName, Choice>): Promise<Places> {
  const record = readRecord();
  const places = {} as Places;
  for (const name of engineNames) {
    const { kind } = choices[name];
    const recorded = record?.[name];
    const runs = (await runningPid(name)) !== undefined;
    if (runs && kind !== 'native') {
      throw new EngineFailure(
        `${labels[name]} runs natively (started by up); npm run down first, then ${kind} can take over`,
      );
    }
    if (recorded?.kind === 'compose' && kind === 'native') {
      throw new EngineFailure(
        `${labels[name]} runs in Docker Compose (started by up); npm run down first, then native can take over`,
      );
    }
    if (kind === 'external') places[name] = { kind, endpoint: endpointSetByUser(name) ?? recorded?.endpoint ?? '' };
    else if (runs && recorded?.kind === kind) places[name] = recorded;
    else places[name] = { kind, endpoint: localEndpoint(name) };
  }
  return places;
}

function localEndpoint(name: EngineName): string {
  const { mysql, redis } = passwords();
  if (name === 'mysql') return `mysql://onrush:${mysql}@127.0.0.1:${port('ONRUSH_MYSQL_PORT')}/onrush`;
  if (name === 'redis') return `redis://:${redis}@127.0.0.1:${port('ONRUSH_REDIS_PORT')}/0`;
  return `127.0.0.1:${port('ONRUSH_KAFKA_PORT')}`;
}
