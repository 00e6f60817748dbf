import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { openFlows } from './flows.ts';
import { buildDependencies, type Doc, HELM, helmIsThere, named, pods, render, renderText } from './render.ts';

/** Helm is found on PATH or in $HELM; without it nothing here can be asked. */
const withHelm = helmIsThere ? describe : describe.skip;
const VALUES = ['values.yaml', 'values-dev.yaml', 'values-load.yaml', 'values-prod.yaml'];
const APIS = ['balance-api', 'coupon-api', 'order-api'];
const WORKERS = ['coupon-consumer', 'coupon-gatekeeper', 'outbox-relay', 'projections'];

withHelm('charts', () => {
  beforeAll(buildDependencies, 60_000);

  describe.each(['mysql', 'redis', 'kafka', 'onrush'])('%s', (chart) => {
    test('helm lint finds nothing', () => {
      const run = spawnSync(HELM, ['lint', '--strict', `charts/${chart}`], { encoding: 'utf8' });
      expect(run.stdout + run.stderr).toContain('0 chart(s) failed');
      expect(run.status).toBe(0);
    });
  });

  describe.each(VALUES)('%s', (values) => {
    const docs = () => render([values]);

    test('every pod fits the restricted pod security standard and has no token', () => {
      for (const [name, { spec }] of pods(docs())) {
        const seen = {
          name,
          nonRoot: spec.securityContext?.runAsNonRoot,
          seccomp: spec.securityContext?.seccompProfile?.type,
          token: spec.automountServiceAccountToken,
          serviceLinks: spec.enableServiceLinks,
          hostPaths: (spec.volumes ?? []).filter((volume) => 'hostPath' in volume),
        };
        expect(seen).toEqual({
          name,
          nonRoot: true,
          seccomp: 'RuntimeDefault',
          token: false,
          serviceLinks: false,
          hostPaths: [],
        });
        for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
          expect([name, container.name, container.securityContext]).toEqual([
            name,
            container.name,
            { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
          ]);
          const { requests, limits } = container.resources;
          expect([name, requests?.cpu, requests?.memory, limits?.memory]).not.toContain(undefined);
          expect([name, container.image]).toEqual([name, expect.stringMatching(/:[\w.-]+$/)]);
          expect(container.image).not.toMatch(/:latest$/);
        }
      }
    });

    test('Services lead to a port of pods that exist', () => {
      const rendered = docs();
      for (const { metadata, spec } of rendered.filter(({ kind }) => kind === 'Service')) {
        const behind = [...pods(rendered).values()].filter(({ labels }) =>
          Object.entries(spec.selector).every(([key, value]) => labels[key] === value),
        );
        expect([metadata.name, behind.length]).toEqual([metadata.name, 1]);
        const open = behind[0]?.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
        expect(open).toEqual(expect.arrayContaining(spec.ports.map((port: { targetPort: string }) => port.targetPort)));
      }
    });

    test('a PodDisruptionBudget exactly where there is more than one pod, and no replicas beside an autoscaler', () => {
      const rendered = docs();
      const scaled = new Map(
        rendered
          .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
          .map(({ spec }) => [spec.scaleTargetRef.name, spec.minReplicas]),
      );
      for (const { metadata, spec } of rendered.filter(({ kind }) => kind === 'Deployment')) {
        const budget = rendered.some(
          (doc) => doc.kind === 'PodDisruptionBudget' && doc.metadata.name === metadata.name,
        );
        const least = scaled.get(metadata.name) ?? spec.replicas;
        expect([metadata.name, budget]).toEqual([metadata.name, least > 1]);
        expect([metadata.name, 'replicas' in spec]).toEqual([metadata.name, !scaled.has(metadata.name)]);
      }
    });

    test('rendered as it was when last looked at (UPDATE_GOLDEN=1 takes the new form)', () => {
      const name = values.replace('.yaml', '');
      const [file, seen] =
        values === 'values.yaml'
          ? [`charts/tests/golden/${name}.yaml`, golden([])]
          : [`charts/tests/golden/${name}.diff`, difference(golden([]), golden([values]))];
      if (process.env.UPDATE_GOLDEN || !existsSync(file)) writeFileSync(file, seen);
      expect(seen).toBe(readFileSync(file, 'utf8'));
    });
  });

  test.each(['egress', 'ingress', 'both'] as const)('the policies leave open what is really called (%s)', (by) => {
    const engines = ['mysql', 'redis', 'kafka'];
    const called = [
      'test > edge:http',
      ...APIS.map((api) => `edge > ${api}:http`),
      ...APIS.flatMap((api) => ['mysql', 'redis'].map((engine) => `${api} > ${engine}:${engine}`)),
      ...[...WORKERS, 'migration', 'seed', 'verify'].flatMap((name) =>
        engines.map((engine) => `${name} > ${engine}:${engine}`),
      ),
    ];
    const seen = openFlows(render(), by);
    // The edge is the way in: by its own policy for anyone.
    const others = seen.filter((flow) => flow === 'test > edge:http' || !flow.endsWith('> edge:http'));
    expect(others).toEqual(called.sort());
  });

  test('the edge can be kept to those who are named', () => {
    const rendered = render(['networkPolicy.edgeFrom[0].podSelector.matchLabels.who=me']);
    expect(openFlows(rendered, 'ingress').filter((flow) => flow.endsWith('> edge:http'))).toEqual([]);
  });

  test('the edge sends every path of the contracts to the API that answers it', () => {
    const config = named(render(), 'ConfigMap', 'onrush-edge').data?.['nginx.conf'] ?? '';
    const locations = [...config.matchAll(/location (?:(=|~) )?(\S+) \{ (?:proxy_pass http:\/\/([\w-]+))?/g)].map(
      ([, how = '', pattern = '', to]) => ({ how, pattern, to }),
    );
    /** nginx: an exact location, else the first regular expression, else the longest prefix. */
    const routed = (path: string) =>
      (
        locations.find(({ how, pattern }) => how === '=' && pattern === path) ??
        locations.find(({ how, pattern }) => how === '~' && new RegExp(pattern).test(path)) ??
        locations
          .filter(({ how, pattern }) => how === '' && path.startsWith(pattern))
          .sort((a, b) => b.pattern.length - a.pattern.length)[0]
      )?.to;
    const owner: Record<string, string> = { coupon: 'coupon-api', balance: 'balance-api' };
    let paths = 0;
    for (const module of ['balance', 'coupon', 'catalog', 'cart', 'order']) {
      for (const [, path = ''] of readFileSync(`services/${module}/contract.ts`, 'utf8').matchAll(/path: '([^']+)'/g)) {
        paths++;
        const asked = path.replace(/\{\w+\}/g, 'test-user-1');
        expect([path, routed(asked)]).toEqual([path, owner[module] ?? 'order-api']);
      }
    }
    expect(paths).toBeGreaterThan(15);
    expect(routed('/metrics')).toBeUndefined();
  });

  describe('migration', () => {
    const job = (docs: Doc[]) =>
      docs.find(({ kind, metadata }) => kind === 'Job' && metadata.name.includes('migration'));

    test('is no hook, which --wait could wait for in vain', () => {
      expect(job(render())?.metadata.annotations).toBeUndefined();
    });

    test('is named after the revision and after what it runs, since Jobs cannot be changed', () => {
      const name = (values: string[]) => job(render(values))?.metadata.name;
      expect(name([])).toBe(name([]));
      expect(name(['image.tag=other'])).not.toBe(name([]));
      expect(name([])).toMatch(/^onrush-migration-1-[0-9a-f]{8}$/);
    });

    test('is waited for by every component, with topics where the component consumes or produces', () => {
      const rendered = render();
      for (const name of [...APIS, ...WORKERS]) {
        const wait = named(rendered, 'Deployment', `onrush-${name}`).spec.template.spec.initContainers[0];
        expect([name, wait.args.slice(3)]).toEqual([name, APIS.includes(name) ? ['schema'] : ['schema', 'topics']]);
      }
    });
  });

  describe('connections to MySQL', () => {
    // 3 APIs and 4 workers, one pod and one more during an upgrade each: 2 × (5 + 8 + 12 + 5 + 5 + 4 + 3), jobs 5, reserved 20.
    const NEEDED = 109;

    test('as many as the pools could open are accepted', () => {
      expect(() => render([`mysql.maxConnections=${NEEDED}`])).not.toThrow();
    });

    test('one less is refused, with the sum in the message', () => {
      expect(() => render([`mysql.maxConnections=${NEEDED - 1}`])).toThrow(
        /MySQL accepts 108 connections \(mysql\.maxConnections\), and these pods could open 109:.*order-api 2 × 12.*reserved 20/s,
      );
    });

    test('autoscalers count with their most pods, and an external MySQL with its own limit', () => {
      expect(() => render(['values-prod.yaml', 'components.order-api.autoscaling.maxReplicas=30'])).toThrow(
        /external\.mysql\.maxConnections.*order-api 31 × 12/s,
      );
    });
  });

  describe('values that are refused', () => {
    test.each([
      ['a misspelt key', 'componets.order-api.replicas=2', /componets/],
      ['a misspelt key of a component', 'components.order-api.replica=2', /replica/],
      ['an unknown component', 'components.orders-api.replicas=2', /orders-api/],
      ['a misspelt setting', 'settings.ONRUSH_CART_AFTER_ODER=keep', /ONRUSH_CART_AFTER_ODER/],
      ['a setting out of range', 'settings.ONRUSH_MAX_BATCH=1000', /ONRUSH_MAX_BATCH/],
      ['text for a number', 'componentDefaults.writePool=four', /writePool/],
      ['a tag that is a number', 'image.tag=1', /tag/],
      ['a misspelt key of an engine', 'mysql.bufferPool=1G', /bufferPool/],
      ['a mistyped key of an engine', 'redis.persistence.enabled=often', /enabled/],
      ['a password that would break its URL', 'mysql.auth.password=a/b', /password/],
      ['brokers without a port', 'external.kafka.brokers=kafka', /brokers/],
      ['an engine that is off and nowhere else', 'kafka.enabled=false', /external\.kafka\.brokers/],
      [
        'two autoscalers for one component',
        'kafka.enabled=false,external.kafka.brokers=kafka.data:9092,components.projections.autoscaling.enabled=true,components.projections.keda.enabled=true',
        /fight/,
      ],
      ['lag of a component that has none', 'components.order-api.keda.enabled=true', /use autoscaling/],
      [
        'KEDA beside a Kafka that it does not reach',
        'components.projections.keda.enabled=true',
        /projections\.keda: .*external\.kafka/,
      ],
      ['a drain longer than the pod lives', 'components.order-api.drainDelay=50000', /terminationGracePeriod/],
      ['tokens both off and asked for', 'auth.enabled=false,auth.existingSecret=s', /leave one/],
      ['two ways to verify tokens', 'auth.jwksUrl=https://h/k,auth.existingSecret=s', /one of them/],
      ['keys for any audience', 'auth.jwksUrl=https://h/k,auth.issuer=i', /auth\.audience/],
      ['a secret that can be guessed', 'auth.secret=short', /secret/],
      ['one port twice', 'adminPort=8081', /8081/],
      ['a drain after which too little is left', 'components.order-api.drainDelay=26000', /terminationGracePeriod/],
      ['an Ingress that leads to nothing', 'ingress.enabled=true,edge.enabled=false', /edge\.enabled/],
    ])('%s', (_what, value, message) => {
      expect(() => render([value])).toThrow(message);
    });
  });

  test('monitoring objects only where the cluster knows them', () => {
    const kinds = (more: string[]) => render([], more).map(({ kind }) => kind);
    expect(kinds([])).not.toContain('PodMonitor');
    expect(kinds(['--api-versions', 'monitoring.coreos.com/v1'])).toEqual(
      expect.arrayContaining(['PodMonitor', 'PrometheusRule']),
    );
  });

  test('alerts are those of dashboards/rules.yaml, for this namespace only', () => {
    const docs = render(['monitoring.runbooks=https://git/runbooks'], ['--api-versions', 'monitoring.coreos.com/v1']);
    const rules = readFileSync('dashboards/rules.yaml', 'utf8')
      .replaceAll('namespace=~".+"', 'namespace="shop"')
      .replaceAll('docs/runbooks.md', 'https://git/runbooks');
    expect(rules).not.toContain('=~".+"');
    expect(named(docs, 'PrometheusRule', 'onrush').spec).toEqual(parse(rules));
  });

  test('the chart knows every setting of the program', () => {
    const config = readFileSync('services/core/config.ts', 'utf8');
    const known = [...config.matchAll(/^ {2}(ONRUSH_\w+): /gm)].map(([, name]) => name);
    const shared = Object.keys(
      JSON.parse(readFileSync('charts/onrush/values.schema.json', 'utf8')).properties.settings.properties,
    );
    const own = [
      'ONRUSH_WRITE_POOL',
      'ONRUSH_READ_POOL',
      'ONRUSH_DRAIN_DELAY_MS',
      'ONRUSH_ADMIN_PORT',
      'ONRUSH_ADMIN_HOST',
      // Each component is a Deployment of its own.
      'ONRUSH_BACKGROUND',
    ];
    expect([...shared.filter((name) => name.startsWith('ONRUSH_')), ...own].sort()).toEqual(known.sort());
  });

  test('a share of traced requests reaches the program as it was given', () => {
    const settings = (given: string) =>
      renderText([], ['--set-json', `settings.${given}`, '-s', 'templates/configmap.yaml']);
    expect(settings('ONRUSH_TRACE_RATIO=0.005')).toContain('  ONRUSH_TRACE_RATIO: "0.005"\n');
    expect(settings('ONRUSH_TRACE_RATIO=1')).toContain('  ONRUSH_TRACE_RATIO: "1"\n');
    expect(settings('ONRUSH_MAX_IN_FLIGHT=100000')).toContain('  ONRUSH_MAX_IN_FLIGHT: "100000"\n');
  });

  test('spans can leave exactly where they are sent somewhere', () => {
    const ports = (values: string[]) =>
      render(values)
        .filter(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'onrush-coupon-api')
        .flatMap(({ spec }) => spec.egress)
        .filter(({ ports }: { ports: { port: unknown }[] }) => ports.some(({ port }) => port === 4318));
    expect(ports([])).toEqual([]);
    const endpoint = 'settings.OTEL_EXPORTER_OTLP_ENDPOINT=http://jaeger.monitoring:4318';
    expect(ports([endpoint])).toEqual([{ ports: [{ protocol: 'TCP', port: 4318 }] }]);
    const to = 'networkPolicy.tracesTo[0].podSelector.matchLabels.app=jaeger';
    expect(ports([endpoint, to])).toEqual([
      { to: [{ podSelector: { matchLabels: { app: 'jaeger' } } }], ports: [{ protocol: 'TCP', port: 4318 }] },
    ]);
  });

  describe('callers', () => {
    const envOf = (docs: Doc[], name: string) =>
      named(docs, 'Deployment', `onrush-${name}`).spec.template.spec.containers[0].env.filter((one: { name: string }) =>
        one.name.startsWith('AUTH'),
      );

    test('are known by a secret that the release makes up, that only the APIs get, and that no ConfigMap shows', () => {
      const docs = render();
      const ref = { secretKeyRef: { name: 'onrush-auth', key: 'secret' } };
      for (const api of APIS)
        expect([api, envOf(docs, api)]).toEqual([
          api,
          [
            { name: 'AUTH', value: 'on' },
            { name: 'AUTH_SECRET', valueFrom: ref },
            { name: 'AUTH_ADMIN_SCOPE', value: 'onrush:admin' },
          ],
        ]);
      for (const worker of WORKERS) expect(envOf(docs, worker)).toEqual([]);
      const secret = (named(docs, 'Secret', 'onrush-auth') as { stringData?: Record<string, string> }).stringData
        ?.secret;
      expect(secret?.length).toBeGreaterThanOrEqual(32);
      const open = docs.filter(({ kind }) => kind !== 'Secret');
      expect(JSON.stringify(open)).not.toContain(secret);
    });

    test('are known by a Secret that is there, and then none is made', () => {
      const docs = render(['auth.existingSecret=tokens', 'auth.key=hs256']);
      const ref = { secretKeyRef: { name: 'tokens', key: 'hs256' } };
      expect(envOf(docs, 'coupon-api')).toContainEqual({ name: 'AUTH_SECRET', valueFrom: ref });
      expect(docs.filter(({ kind, metadata }) => kind === 'Secret' && metadata.name.includes('auth'))).toEqual([]);
    });

    test('are known by a provider’s keys, which the APIs alone may fetch', () => {
      const docs = render(['values-prod.yaml', 'auth.jwksUrl=https://id.test:8443/keys']);
      expect(envOf(docs, 'order-api')).toContainEqual({ name: 'AUTH_JWKS_URL', value: 'https://id.test:8443/keys' });
      const reach = (name: string) =>
        JSON.stringify(named(docs, 'NetworkPolicy', `onrush-${name}`).spec.egress).includes('8443');
      expect([...APIS, ...WORKERS].filter(reach)).toEqual(APIS);
    });

    test('are asked for nothing in development and load tests alone', () => {
      const off = VALUES.filter((values) =>
        envOf(render([values]), 'balance-api').some((one: { value?: string }) => one.value === 'off'),
      );
      expect(off).toEqual(['values-dev.yaml', 'values-load.yaml']);
    });
  });

  test('with a port for administration, metrics are read there, coupons are made there, and the edge cannot reach it', () => {
    const docs = render(
      ['adminPort=8082', 'verifier.enabled=true', 'networkPolicy.adminFrom[0].podSelector.matchLabels.who=admin'],
      ['--api-versions', 'monitoring.coreos.com/v1'],
    );
    expect(named(docs, 'PodMonitor', 'onrush').spec.podMetricsEndpoints[0].port).toBe('admin');
    // By which the Prometheus of charts/observability finds them.
    for (const name of ['coupon-api', 'coupon-gatekeeper', 'verifier']) {
      const { metadata, spec } = named(docs, 'Deployment', `onrush-${name}`).spec.template;
      expect(spec.containers[0].ports.map((port: { name: string }) => port.name)).toContain(
        metadata.annotations['onrush/metrics-port'],
      );
      expect(metadata.annotations['onrush/metrics-port']).toBe('admin');
    }
    for (const [name, { spec }] of pods(docs)) {
      if (!/^Deployment onrush-(?!edge)/.test(name)) continue;
      const ports = spec.containers[0]?.ports?.map((port) => port.name);
      expect([name, ports]).toEqual([name, name.endsWith('verifier') ? ['admin'] : ['http', 'admin']]);
    }
    const services = docs.filter(({ kind, spec }) => kind === 'Service' && JSON.stringify(spec).includes('"admin"'));
    expect(services.map(({ metadata }) => metadata.name)).toEqual(['onrush-coupon-api']);
    for (const by of ['ingress', 'both'] as const)
      expect(openFlows(docs, by).filter((flow) => flow.endsWith(':admin'))).toEqual([]);
    const ingress = (name: string) => JSON.stringify(named(docs, 'NetworkPolicy', `onrush-${name}`).spec.ingress);
    expect(APIS.filter((api) => ingress(api).includes('"who":"admin"'))).toEqual(['coupon-api']);
  });

  test('production brings no engine and no seeder, and keeps no password in its values', () => {
    const rendered = render(['values-prod.yaml']);
    expect(rendered.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Secret')).toEqual([]);
    expect(rendered.filter(({ metadata }) => metadata.name.includes('seed'))).toEqual([]);
  });
});

/** Rendered text without what changes with every version: the programs handed to node on its command line stay in files/. */
function golden(values: string[]): string {
  return renderText(values).replace(
    /( +)- --eval\n +- \|\n(?:(?:\1 .*)?\n)+/g,
    '$1- --eval\n$1- (a program of files/)\n',
  );
}

/** What a values file changes. */
function difference(before: string, after: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'golden-'));
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  writeFileSync(a, before);
  writeFileSync(b, after);
  const run = spawnSync('diff', ['-U', '2', '--label', 'values.yaml', '--label', 'with this file', a, b], {
    encoding: 'utf8',
  });
  if (run.status === null || run.status > 1) throw new Error(run.stderr);
  return run.stdout;
}
