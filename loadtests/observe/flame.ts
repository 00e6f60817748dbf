import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findWrk } from '../../engines/wrk.ts';
import { BadConfig, parseConfig, ROLES, servesApi } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { COUPON, seedData, startEngines } from '../bench/prepare.ts';
import { SCENARIO_NAMES, scenarioNamesOf, scenarioOf } from '../bench/scenarios.ts';
import { runWrk } from '../bench/wrk.ts';
import { checkOut, commitOf, ownCommit } from '../compare/checkout.ts';
import { freePort, type Started, startServices } from '../test/start-services.ts';
import { openStack } from '../verify/stack.ts';
import { type CpuProfile, flameGraph } from './flame-graph.ts';

/*
 * Draws where an API process spends its time at full load.
 *   node run.mjs loadtests/observe/flame.ts coupon|charge-hot|charge-spread|order FILE.svg [COMMIT]
 * Of the program as it was at that commit, if given. Relaying and consuming go on in a process of their own. Kept: docs/pictures, docs/performance.md.
 */
const WARM_UP = 4;
const SECONDS = 8;
/** Between samples. Microseconds. */
const INTERVAL = 200;
const USERS = 200_000;

runAsProgram('loadtests/observe/flame.ts', async () => {
  const [name, file, ref] = process.argv.slice(2);
  const known = scenarioNamesOf('saturate');
  const scenario = SCENARIO_NAMES.find((one) => one === name && known.includes(one));
  if (!scenario || !file?.endsWith('.svg')) throw new BadConfig(`expected ${known.join('|')} FILE.svg [COMMIT]`);
  const { title, env, wrk: load } = scenarioOf('saturate', scenario);
  if (!load) throw new BadConfig(`${scenario} has no load for wrk`);
  const say = (line: string) => console.error(line);
  const wrk = await findWrk();
  await startEngines({ seed: true, seedAsked: false }, say);
  const config = parseConfig(process.env);
  await seedData(config, USERS, say);
  const commit = ref === undefined ? ownCommit() : commitOf(ref);
  const root = ref === undefined ? '.' : checkOut(commit);
  const common = { AUTH: 'off', ONRUSH_CART_AFTER_ORDER: 'keep' };
  const started: Started[] = [];
  const stack = await openStack(config);
  try {
    const others = ROLES.filter((role) => !servesApi(role)).join(',');
    started.push(await startServices({ ...common, ROLES: others }, 'flame-background', undefined, root));
    const inspector = await freePort();
    const apis = await startServices(
      { ...common, ROLES: ROLES.filter(servesApi).join(','), NODE_OPTIONS: `--inspect=127.0.0.1:${inspector}` },
      'flame',
      undefined,
      root,
    );
    started.push(apis);
    await stack.untilGateOpen(COUPON);
    const settings = { ...env, BASE_URL: apis.url };
    const run = (first: number, seconds: number) =>
      runWrk(
        wrk,
        load,
        { ...settings, FIRST_USER: String(first), USERS: String(USERS / 2) },
        seconds,
        new AbortController().signal,
        () => {},
      );
    await run(1, WARM_UP);
    const [profile, { crash }] = await Promise.all([profileOf(inspector, SECONDS - 1), run(1 + USERS / 2, SECONDS)]);
    if (crash) throw new Error(crash);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, flameGraph(profile, `${title}, ${commit.slice(0, 7)}: busy time of the API process`));
  } finally {
    await Promise.all(started.map((one) => one.stop()));
    await stack.close();
  }
});

/** Has the process behind this inspector sampled for so many seconds. */
async function profileOf(port: number, seconds: number): Promise<CpuProfile> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data));
    waiting.get(id)?.(result);
  });
  let calls = 0;
  const call = (method: string, params = {}) =>
    new Promise<unknown>((resolve) => {
      waiting.set(++calls, resolve);
      socket.send(JSON.stringify({ id: calls, method, params }));
    });
  await call('Profiler.enable');
  await call('Profiler.setSamplingInterval', { interval: INTERVAL });
  await call('Profiler.start');
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const { profile } = (await call('Profiler.stop')) as { profile: CpuProfile };
  socket.close();
  return profile;
}
