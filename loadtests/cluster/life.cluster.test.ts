import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bench } from './bench.ts';
import { done, forward, kubectl, NAMESPACE, objects, run, secret, start } from './commands.ts';

// In the cluster of kubectl's current context: skaffold builds, loads and installs; then what a cluster does to pods is done to
// them under load. The tests follow one another and share the installation.

const APIS = ['balance-api', 'coupon-api', 'order-api'];
const WORKERS = ['coupon-consumer', 'coupon-gatekeeper', 'outbox-relay', 'projections'];
const MINUTES = 60_000;

const deployment = (component: string) => `onrush-${component}`;
const podsOf = (component: string) => objects('pods', '-l', `app.kubernetes.io/component=${component}`);
const deleteOnePod = (component: string) =>
  kubectl('delete', 'pod', '--wait=false', podsOf(component)[0].metadata.name);
const settled = () =>
  kubectl('wait', 'deployment', '--all', '--for=condition=Available', '--timeout=180s') +
  kubectl('rollout', 'status', 'statefulset', '--timeout=180s');
const violated = ({ invariants }: Awaited<ReturnType<typeof bench>>['results']) =>
  invariants?.checks.filter(({ status }) => status !== 'ok' && status !== 'not checked') ?? ['not verified'];

test(
  'one command brings everything up in an empty namespace',
  async () => {
    const began = Date.now();
    done('skaffold', ['run', '-p', 'load']);
    console.log(`ready after ${((Date.now() - began) / 1000).toFixed(0)} s, images built and loaded`);
    const ready = Object.fromEntries(
      objects('deployments').map(({ metadata, status }) => [metadata.name, status.readyReplicas]),
    );
    expect(ready).toMatchObject({
      ...Object.fromEntries(APIS.map((api) => [deployment(api), 3])),
      ...Object.fromEntries(WORKERS.map((worker) => [deployment(worker), 2])),
    });
  },
  15 * MINUTES,
);

test.each(['values.yaml', 'values-dev.yaml', 'values-load.yaml', 'values-prod.yaml'])(
  'the API server takes everything that %s renders, in a namespace of restricted pods',
  (values) => {
    const namespace = `onrush-dry-${values.replace(/\W/g, '-')}`;
    done(
      'kubectl',
      ['apply', '-f', '-'],
      readFileSync('k8s/namespace.yaml', 'utf8').replace('name: onrush', `name: ${namespace}`),
    );
    try {
      const args = ['template', 'dry', 'charts/onrush', '-n', namespace, '-f', `charts/onrush/${values}`, '--no-hooks'];
      const { code, output } = run(
        'kubectl',
        ['apply', '--dry-run=server', '-n', namespace, '-f', '-'],
        done('helm', args),
      );
      expect(output.split('\n').filter((line) => line !== '' && !line.endsWith('(server dry run)'))).toEqual([]);
      expect(code).toBe(0);
    } finally {
      done('kubectl', ['delete', 'namespace', namespace, '--wait=false']);
    }
  },
  2 * MINUTES,
);

test(
  'helm test asks every service',
  () => {
    expect(done('helm', ['test', 'onrush', '-n', NAMESPACE])).toMatch(/Phase: +Succeeded/);
  },
  3 * MINUTES,
);

test(
  'coupons, charges and orders from two runners: PASS, and their figures agree with the database to the won',
  async () => {
    for (const scenario of ['coupon', 'charge', 'order'] as const) {
      const { code, results } = await bench(scenario, 5, scenario === 'coupon' ? 'fresh' : 'as it is');
      expect(results.reasons).toEqual([]);
      expect(code).toBe(0);
      expect(results.invariants?.checks.filter(({ group }) => group === 'Clients against database')).not.toEqual([]);
      expect(results.scenarios[0]?.apis[0]?.acknowledged).toBeGreaterThan(50);
    }
  },
  10 * MINUTES,
);

// Whether NetworkPolicy is enforced is the network plugin's affair: kind's does.
const whereEnforced = process.env.NETWORK_POLICY === 'enforced' ? test : test.skip;

whereEnforced(
  'a pod that is not one of ours reaches no engine',
  async () => {
    const image = objects('deployments').find(({ metadata }) => metadata.name === deployment('balance-api'))?.spec
      .template.spec.containers[0].image;
    const attempt = (port: number, host: string) =>
      `new Promise(r=>{const s=require('net').connect(${port},'${host}');s.setTimeout(5000,()=>r('no'));s.on('error',()=>r('no'));s.on('connect',()=>r('yes'))})`;
    const script = `Promise.all([${attempt(3306, 'onrush-mysql')},${attempt(6379, 'onrush-redis')},${attempt(9092, 'onrush-kafka')},${attempt(80, 'onrush-edge')}]).then(a=>{console.log(a.join());process.exit()})`;
    const stranger = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stranger' },
      spec: {
        restartPolicy: 'Never',
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'stranger',
            image,
            args: ['-e', script],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    };
    kubectl('delete', 'pod', 'stranger', '--ignore-not-found');
    done('kubectl', ['-n', NAMESPACE, 'apply', '-f', '-'], JSON.stringify(stranger));
    kubectl('wait', 'pod/stranger', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s');
    expect(kubectl('logs', 'stranger').trim()).toBe('no,no,no,yes');
    kubectl('delete', 'pod', 'stranger');
  },
  4 * MINUTES,
);

test(
  'three pods of each API and two of each worker pass the race suite through the edge',
  async () => {
    // The suite begins with wallets that nobody charged, and with carts that an order empties.
    kubectl('delete', 'job', 'seed-for-races', '--ignore-not-found');
    kubectl('create', 'job', 'seed-for-races', '--from=cronjob/onrush-seed');
    kubectl('wait', 'job/seed-for-races', '--for=condition=Complete', '--timeout=180s');
    kubectl('set', 'env', 'deployment/onrush-order-api', 'ONRUSH_CART_AFTER_ORDER=empty');
    kubectl('rollout', 'status', 'deployment/onrush-order-api', '--timeout=180s');
    const [edge, mysql, redis] = await Promise.all([
      forward('onrush-edge', 80),
      forward('onrush-mysql', 3306),
      forward('onrush-redis', 6379),
    ]);
    try {
      const url = `http://127.0.0.1:${edge.port}`;
      const at = (given: string, port: number) => given.replace(/@[^/]*/, `@127.0.0.1:${port}`);
      const stack = {
        urls: [url, url],
        databaseUrl: at(secret('onrush-mysql', 'url'), mysql.port),
        redisUrl: at(secret('onrush-redis', 'url'), redis.port),
        kafkaBrokers: '',
        namespace: 'onrush',
      };
      const files = ['balance/charge', 'balance/reads', 'cart/cart', 'coupon/issue', 'order/order', 'order/reads'];
      const jest = start(
        'races',
        process.execPath,
        [
          'node_modules/jest/bin/jest.js',
          '--config=jest.cluster.config.cjs',
          '--forceExit',
          ...files.map((file) => `services/${file}.test.ts`),
        ],
        { env: { ...process.env, ONRUSH_TEST_STACK: JSON.stringify(stack) } },
      );
      const code = await jest.ended;
      console.log(
        jest
          .log()
          .split('\n')
          .filter((line) => /^(Tests|Test Suites):/.test(line))
          .join('\n'),
      );
      expect([code, code === 0 ? '' : jest.log().slice(-6_000)]).toEqual([0, '']);
    } finally {
      for (const open of [edge, mysql, redis]) open.close();
      kubectl('set', 'env', 'deployment/onrush-order-api', 'ONRUSH_CART_AFTER_ORDER-');
      kubectl('rollout', 'status', 'deployment/onrush-order-api', '--timeout=180s');
    }
  },
  10 * MINUTES,
);

test(
  'a pod of each API, each worker and the edge is deleted under load: PASS, and the pods are noted',
  async () => {
    const { results } = await bench('journey', 45, 'fresh', async () => {
      for (const component of [...APIS, ...WORKERS, 'edge']) {
        deleteOnePod(component);
        await sleep(3_000);
      }
    });
    expect(results.reasons).toEqual([]);
    expect(results.verdict).toBe('PASS');
    for (const api of APIS)
      expect(results.notes.join('\n')).toMatch(new RegExp(`the pod onrush-${api}-\\S+ is (new|gone)`));
    settled();
  },
  6 * MINUTES,
);

test(
  'an upgrade and its rollback under load: no request fails, the data stay',
  async () => {
    // The next version of the chart, with pods that differ.
    const next = join(mkdtempSync(join(tmpdir(), 'onrush-chart-')), 'charts');
    cpSync('charts', next, { recursive: true });
    const chart = join(next, 'onrush', 'Chart.yaml');
    const text = readFileSync(chart, 'utf8');
    const version = /^version: (\S+)/m.exec(text)?.[1] as string;
    writeFileSync(chart, text.replace(`version: ${version}`, `version: ${version}-next`));
    const upgrade = [
      'upgrade',
      'onrush',
      join(next, 'onrush'),
      '-n',
      NAMESPACE,
      '--reuse-values',
      '--wait',
      '--timeout=5m',
    ];
    const { results } = await bench('charge', 150, 'as it is', async () => {
      const began = Date.now();
      await start('upgrade', 'helm', [...upgrade, '--set', 'settings.LOG_LEVEL=error']).ended;
      const between = Date.now();
      await start('rollback', 'helm', ['rollback', 'onrush', '-n', NAMESPACE, '--wait', '--timeout=5m']).ended;
      console.log(`upgrade ${(between - began) / 1000} s, rollback ${(Date.now() - between) / 1000} s, under load`);
    });
    const history = JSON.parse(done('helm', ['history', 'onrush', '-n', NAMESPACE, '-o', 'json'])) as {
      chart: string;
      status: string;
    }[];
    expect(history.slice(-2).map(({ chart: name, status }) => [name, status])).toEqual([
      [`onrush-${version}-next`, 'superseded'],
      [`onrush-${version}`, 'deployed'],
    ]);
    expect(results.scenarios[0]?.apis[0]?.errors).toEqual({});
    expect(results.scenarios[0]?.apis[0]?.client.failed).toBe(0);
    expect(results.verdict).toBe('PASS');
    expect(results.notes.join('\n')).toMatch(/the pod onrush-balance-api-\S+ is new/);
  },
  10 * MINUTES,
);

test(
  'an engine’s pod is deleted under load: clients may wait or be refused, the invariants hold',
  async () => {
    for (const engine of ['onrush-redis-0', 'onrush-kafka-0', 'onrush-mysql-0']) {
      const { results } = await bench('journey', 40, 'as it is', async () => {
        await sleep(5_000);
        kubectl('delete', 'pod', engine, '--wait=false');
      });
      expect([engine, violated(results)]).toEqual([engine, []]);
      expect(results.notes.join('\n')).toContain(`the pod ${engine} `);
      settled();
    }
  },
  15 * MINUTES,
);

test(
  'a worker that is evicted for its disk does no harm',
  async () => {
    const [pod] = podsOf('coupon-consumer');
    // 16 MiB is what its volume may hold; the kubelet looks every minute at the latest.
    const fill = "require('fs').writeFileSync('/tmp/full', Buffer.alloc(40e6))";
    const { results } = await bench('coupon', 60, 'fresh', async () => {
      run('kubectl', ['-n', NAMESPACE, 'exec', pod.metadata.name, '--', 'node', '-e', fill]);
    });
    expect(violated(results)).toEqual([]);
    for (const until = Date.now() + 3 * MINUTES; ; await sleep(2_000)) {
      const left = objects('pods').find(({ metadata }) => metadata.uid === pod.metadata.uid);
      if (left?.status.phase !== 'Running') break;
      if (Date.now() > until) throw new Error(`not evicted: ${JSON.stringify(left.status)}`);
    }
    settled();
  },
  6 * MINUTES,
);

test(
  'a threshold that breaks is a FAIL',
  async () => {
    kubectl('scale', 'deployment', deployment('balance-api'), '--replicas=0');
    try {
      const { code, results } = await bench('charge', 5, 'as it is');
      expect(results.reasons.join('\n')).toMatch(
        /charge: the threshold http_req_failed\{name:charge\} rate<=0.01 is broken/,
      );
      expect([results.verdict, code]).toEqual(['FAIL', 1]);
    } finally {
      kubectl('scale', 'deployment', deployment('balance-api'), '--replicas=3');
      settled();
    }
  },
  6 * MINUTES,
);

test(
  'a runner that is lost leaves the run INCONCLUSIVE',
  async () => {
    const { code, results } = await bench('charge', 30, 'as it is', async () => {
      await sleep(3_000);
      kubectl(
        'delete',
        'pod',
        '-l',
        'k6_cr=balance-charge,runner=true,batch.kubernetes.io/job-name=balance-charge-1',
        '--wait=false',
      );
    });
    expect(results.reasons).toEqual([expect.stringMatching(/^charge: the runner balance-charge-1 is lost/)]);
    expect([results.verdict, code]).toEqual(['INCONCLUSIVE', 2]);
    expect(violated(results)).toEqual([]);
  },
  6 * MINUTES,
);

test(
  'skaffold dev brings a code change into the running pods, and leaves the engines alone',
  async () => {
    const copy = mkdtempSync(join(tmpdir(), 'onrush-dev-'));
    for (const file of done('git', ['ls-files']).trim().split('\n'))
      cpSync(file, join(copy, file), { recursive: true });
    const engines = () =>
      objects('pods')
        .filter(({ metadata }) => /-(mysql|redis|kafka)-0$/.test(metadata.name))
        .map(({ metadata, status }) => [metadata.uid, status.containerStatuses[0].restartCount]);
    const before = engines();
    const dev = start('skaffold-dev', 'skaffold', ['dev', '--cleanup=false', '--port-forward=off', '--tail=false'], {
      cwd: copy,
    });
    try {
      await until(() => dev.log().includes('Watching for changes'), 10 * MINUTES, dev.log);
      const answer = `/api/v1/namespaces/${NAMESPACE}/services/${deployment('balance-api')}:http/proxy/openapi.json`;
      const title = () => /"title":"([^"]*)"/.exec(run('kubectl', ['get', '--raw', answer]).output)?.[1];
      await until(() => title() === 'Onrush', MINUTES, dev.log);
      const file = resolve(copy, 'services/app.ts');
      const source = readFileSync(file, 'utf8');
      expect(source).toContain("title: 'Onrush'");
      const changed = Date.now();
      writeFileSync(file, source.replace("title: 'Onrush'", "title: 'Onrush, changed'"));
      await until(() => title() === 'Onrush, changed', MINUTES, dev.log);
      console.log(`a code change reached a running pod after ${(Date.now() - changed) / 1000} s`);
      expect(engines()).toEqual(before);
    } finally {
      dev.child.kill('SIGINT');
      await dev.ended;
    }
  },
  15 * MINUTES,
);

async function until(holds: () => boolean | Promise<boolean>, withinMs: number, log: () => string): Promise<void> {
  for (const end = Date.now() + withinMs; !(await holds()); await sleep(200))
    if (Date.now() > end) throw new Error(`not within ${withinMs / 1000} s; ${log().slice(-3_000)}`);
}
