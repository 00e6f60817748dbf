import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bench } from './bench.ts';
import { done, forward, kubectl, NAMESPACE, objects, run, secret, start } from './commands.ts';
import { APIS, deleteOnePod, MINUTES, podsOf, settled, violated, WORKERS } from './deployments.ts';

// What a cluster does to pods is done to them under load.

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
    const replacePods = async () => {
      const began = Date.now();
      await start('upgrade', 'helm', [...upgrade, '--set', 'settings.LOG_LEVEL=error']).ended;
      const between = Date.now();
      await start('rollback', 'helm', ['rollback', 'onrush', '-n', NAMESPACE, '--wait', '--timeout=5m']).ended;
      console.log(`upgrade ${(between - began) / 1000} s, rollback ${(Date.now() - between) / 1000} s, under load`);
    };
    // Half of the users: the pods that start take the processors of those that serve, which then rightly refuse some of all.
    const { results } = await bench('charge', 220, 'as it is', replacePods, 50);
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
