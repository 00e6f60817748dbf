import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inState } from '../../engines/directory.ts';
import { findSchemathesis } from '../../engines/schemathesis.ts';
import { type JudgedStack, judgedStack } from '../faults/judged-stack.ts';
import type { Started } from '../test/start-services.ts';
import { token } from '../test/tokens.ts';

/*
 * What the contract allows and what it does not, asked by schemathesis: with a token, as one of the users and an
 * administrator, and where nobody asks for one, so that calls get past the question whose things they are. Then the
 * verifier: whatever was sent, the books agree.
 */

/** Of each of the two. Seconds. */
const SECONDS = 60;
const SECRET = 'a secret of the tests, long enough';

let judged: JudgedStack;
let st: string;
beforeAll(async () => {
  st = await findSchemathesis();
  judged = await judgedStack('schema', 20);
}, 300_000);
afterAll(() => judged?.remove(), 60_000);

interface Run {
  code: number | null;
  /** What it printed. */
  said: string;
}

/** The same requests each time. */
async function ask(name: string, { url }: Started, headers: Record<string, string>): Promise<Run> {
  const directory = inState('results', 'schemathesis', name);
  mkdirSync(directory, { recursive: true });
  const args = [
    ...['run', `${url}/openapi.json`, '--no-color', `--max-time=${SECONDS}`, '--request-timeout=10'],
    // A body that the schema allows may be refused by a rule: an empty cart, a balance that does not suffice.
    ...['--checks=all', '--exclude-checks=positive_data_acceptance'],
    ...['--seed=1', '--generation-database=none', `--report-dir=${directory}`, '--report=junit'],
    ...Object.entries(headers).flatMap(([header, value]) => ['--header', `${header}:${value}`]),
  ];
  // It leaves a directory of its own where it runs.
  const child = spawn(st, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  writeFileSync(`${directory}/said.txt`, said);
  return { code, said };
}

/** Lines that the process logged as errors. */
const errorsOf = (log: string): string[] =>
  readFileSync(inState('log', `${log}.log`), 'utf8')
    .split('\n')
    .filter((line) => /^\{"level":[56]0/.test(line));

describe('schemathesis', () => {
  it.each([
    ['with a token', { AUTH: 'on', AUTH_SECRET: SECRET, ONRUSH_RATE_LIMIT: '0' }],
    ['where AUTH is off', { AUTH: 'off' }],
  ])(
    'finds no 5xx and no answer that the contract does not name, %s',
    async (name, env) => {
      const started = await judged.own.start(env);
      const claims = { sub: 'test-user-1', scope: 'onrush:admin' };
      const text = token({ alg: 'HS256', secret: SECRET }, claims);
      const run = await ask(
        name.replaceAll(' ', '-'),
        started,
        env.AUTH === 'on' ? { Authorization: `Bearer ${text}` } : {},
      );
      expect(run.said).toMatch(/Test cases:/);
      expect([run.code, run.code === 0 ? '' : run.said]).toEqual([0, '']);
      expect(errorsOf(`test-schema-${name === 'with a token' ? 1 : 2}`)).toEqual([]);
    },
    (SECONDS + 120) * 1_000,
  );

  it('leaves books that agree', async () => {
    const { verdict, reasons } = await judged.verdict();
    expect([verdict, reasons]).toEqual(['PASS', []]);
  }, 120_000);
});
