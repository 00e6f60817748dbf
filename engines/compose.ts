import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parse } from 'yaml';
import { ask, findProgram, runLogged } from './command.ts';
import { inState } from './directory.ts';
import type { EngineName } from './engines.ts';
import { EngineFailure } from './failure.ts';
import { writePrivate } from './files.ts';
import { passwords } from './passwords.ts';
import { port, portVariables } from './ports.ts';
import { say } from './say.ts';

const file = 'compose.yaml';
const settings = () => inState('compose.env');

/** One project a state directory, so that two checkouts on one machine do not share containers or volumes. */
function project(): string {
  const name = basename(process.cwd())
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  return `onrush-${name}-${createHash('sha256').update(inState()).digest('hex').slice(0, 8)}`;
}

const compose = (...args: string[]) => [
  'compose',
  '-p',
  project(),
  '-f',
  resolve(file),
  '--env-file',
  settings(),
  ...args,
];

function writeSettings(): void {
  const { mysql, mysqlRoot, redis } = passwords();
  const lines = [
    ...portVariables.map((variable) => `${variable}=${port(variable)}`),
    `ONRUSH_MYSQL_PASSWORD=${mysql}`,
    `ONRUSH_MYSQL_ROOT_PASSWORD=${mysqlRoot}`,
    `ONRUSH_REDIS_PASSWORD=${redis}`,
  ];
  writePrivate(settings(), `${lines.join('\n')}\n`);
}

/** A service as compose.yaml describes it. */
export function composeService(name: EngineName): { image: string; command?: string[] } {
  return parse(readFileSync(file, 'utf8')).services[name];
}

export const composeImageVersion = (name: EngineName) => composeService(name).image.split(':')[1];

/** Why Compose cannot run these engines here; undefined if it can. Pulls images that are missing. */
export async function composeUnavailable(names: EngineName[]): Promise<string | undefined> {
  if (!findProgram('docker')) return 'no Docker on this machine';
  if (!(await ask('docker', ['version', '--format', '{{.Server.Version}}'])).ok) return 'no Docker engine answers';
  if (!(await ask('docker', ['compose', 'version'])).ok) return 'Docker has no Compose plugin';
  for (const name of names) {
    const { image } = composeService(name);
    if ((await ask('docker', ['image', 'inspect', image])).ok) continue;
    say(`docker pull ${image}: the image is not on this machine yet`);
    if (!(await ask('docker', ['pull', '-q', image], 600_000)).ok) return `the image ${image} cannot be pulled`;
  }
  return undefined;
}

/** The engines whose containers run now. */
export async function composeRunning(): Promise<string[]> {
  writeSettings();
  const { ok, output } = await ask('docker', compose('ps', '--services', '--status', 'running'));
  return ok ? output.split('\n') : [];
}

/** Starts these engines' containers and waits until each has answered a real query. */
export async function composeUp(names: EngineName[]): Promise<void> {
  writeSettings();
  const args = compose('up', '-d', '--wait', '--wait-timeout', '180', ...names);
  const failed = 'docker compose could not start the engines';
  await runLogged('compose', 'docker', args, failed).catch(async (error) => {
    // Compose says which container failed; why stands in the container's own log.
    const states = await ask('docker', compose('ps', '-a', '--format', '{{.Service}} {{.Health}}', ...names));
    const unhealthy = states.output.split('\n').flatMap((line) => {
      const [service = '', health] = line.split(' ');
      return health === 'healthy' ? [] : [service];
    });
    if (unhealthy.length === 0) throw error;
    const logs = compose('logs', '--no-log-prefix', '--tail', '8', ...unhealthy);
    await runLogged('compose', 'docker', logs, failed);
    throw new EngineFailure(`${failed}: ${unhealthy.join(', ')} did not become healthy`, error.log);
  });
}

/** Stops the containers, with their data if `wipe`; does nothing where `up` never used Compose. */
export async function composeDown(wipe: boolean): Promise<void> {
  writeSettings();
  const args = compose('down', '--remove-orphans', ...(wipe ? ['--volumes'] : []));
  await runLogged('compose', 'docker', args, 'docker compose could not stop the engines');
}
