import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { ask, findProgram, runLogged } from './command.ts';
import { inState } from './directory.ts';
import type { EngineName } from './engines.ts';
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

/** The images compose.yaml pins. */
function image(name: EngineName): string | undefined {
  const service = readFileSync(file, 'utf8').split(new RegExp(`^  ${name}:$`, 'm'))[1];
  return /^ {4}image: (\S+)/m.exec(service ?? '')?.[1];
}

export const composeImageVersion = (name: EngineName) => image(name)?.split(':')[1];

/** Why Compose cannot run these engines here; undefined if it can. Pulls images that are missing. */
export async function composeUnavailable(names: EngineName[]): Promise<string | undefined> {
  if (!findProgram('docker')) return 'no Docker on this machine';
  if (!(await ask('docker', ['version', '--format', '{{.Server.Version}}'])).ok) return 'no Docker engine answers';
  if (!(await ask('docker', ['compose', 'version'])).ok) return 'Docker has no Compose plugin';
  for (const name of names) {
    const wanted = image(name) ?? '';
    if ((await ask('docker', ['image', 'inspect', wanted])).ok) continue;
    say(`docker pull ${wanted}: the image is not on this machine yet`);
    if (!(await ask('docker', ['pull', '-q', wanted], 600_000)).ok) return `the image ${wanted} cannot be pulled`;
  }
  return undefined;
}

/** Starts these engines' containers and waits until each has answered a real query. */
export async function composeUp(names: EngineName[]): Promise<void> {
  writeSettings();
  const args = compose('up', '-d', '--wait', '--wait-timeout', '180', ...names);
  await runLogged('compose', 'docker', args, 'docker compose could not start the engines');
}

/** Stops the containers, with their data if `wipe`; does nothing where `up` never used Compose. */
export async function composeDown(wipe: boolean): Promise<void> {
  writeSettings();
  const args = compose('down', '--remove-orphans', ...(wipe ? ['--volumes'] : []));
  await runLogged('compose', 'docker', args, 'docker compose could not stop the engines');
}
