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

/**
 * Where each engine is, or will be once it runs; and what to record of it. An endpoint the user gives beside an engine
 * that `up` started is for this run only: recording it would turn every later program away from the running engine.
 */
export async function placesFor(choices: Record<EngineName, Choice>): Promise<{ use: Places; record: Places }> {
  const before = readRecord();
  const use = {} as Places;
  const record = {} as Places;
  for (const name of engineNames) {
    const { kind } = choices[name];
    const recorded = before?.[name];
    const runsNatively = (await runningPid(name)) !== undefined;
    const ours: Kind | undefined = runsNatively ? 'native' : recorded?.kind === 'compose' ? 'compose' : undefined;
    if (kind === 'external') {
      use[name] = { kind, endpoint: endpointSetByUser(name) ?? recorded?.endpoint ?? '' };
      record[name] = ours && recorded ? recorded : use[name];
      continue;
    }
    if (ours && ours !== kind) {
      throw new EngineFailure(
        `${labels[name]} is up already, as ${ours}: npm run down first, then ${kind} can take over`,
      );
    }
    // A running process keeps its port, whatever the port variables say by now.
    use[name] = runsNatively && recorded?.kind === kind ? recorded : { kind, endpoint: localEndpoint(name) };
    record[name] = use[name];
  }
  return { use, record };
}

function localEndpoint(name: EngineName): string {
  const { mysql, redis } = passwords();
  if (name === 'mysql') return `mysql://onrush:${mysql}@127.0.0.1:${port('ONRUSH_MYSQL_PORT')}/onrush`;
  if (name === 'redis') return `redis://:${redis}@127.0.0.1:${port('ONRUSH_REDIS_PORT')}/0`;
  return `127.0.0.1:${port('ONRUSH_KAFKA_PORT')}`;
}
