import { readFileSync } from 'node:fs';
import { namesOf } from '../../services/core/names.ts';
import { buildDependencies, type Doc, helmIsThere, named, pods, render } from './render.ts';

// What a linter of manifests would ask, of all values files that are given with the chart.
const withHelm = helmIsThere ? describe : describe.skip;
const VALUES = ['values.yaml', 'values-dev.yaml', 'values-load.yaml', 'values-prod.yaml'];

/** Names of ConfigMaps and Secrets that a pod reads, wherever it names them. */
function referred(pod: unknown): { kind: string; name: string }[] {
  const found: { kind: string; name: string }[] = [];
  JSON.stringify(pod, (key, value) => {
    if (key === 'configMapRef' || key === 'configMapKeyRef') found.push({ kind: 'ConfigMap', name: value.name });
    if (key === 'secretRef' || key === 'secretKeyRef') found.push({ kind: 'Secret', name: value.name });
    if (key === 'configMap') found.push({ kind: 'ConfigMap', name: value.name });
    if (key === 'secret') found.push({ kind: 'Secret', name: value.secretName });
    return value;
  });
  return found;
}

withHelm('rules', () => {
  beforeAll(buildDependencies, 60_000);

  describe.each(VALUES)('%s', (values) => {
    let docs: Doc[];
    beforeAll(() => {
      docs = render([values]);
    });

    test('whatever serves says when it is ready and when it is dead', () => {
      for (const { kind, metadata, spec } of docs) {
        if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
        // Code that is being written does not run at every moment; nobody should start it anew for that.
        const inTheMaking = values === 'values-dev.yaml' && kind === 'Deployment' && metadata.name !== 'onrush-edge';
        for (const { name, readinessProbe, livenessProbe } of spec.template.spec.containers) {
          const probes = { ready: readinessProbe !== undefined, dead: livenessProbe !== undefined };
          expect([metadata.name, name, probes]).toEqual([metadata.name, name, { ready: true, dead: !inTheMaking }]);
        }
      }
    });

    test('a selector picks its own pods and nobody else’s', () => {
      const owners = docs.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
      for (const { metadata, spec } of owners) {
        const picked = owners.filter(({ spec: { template } }) =>
          Object.entries(spec.selector.matchLabels).every(([key, value]) => template.metadata.labels[key] === value),
        );
        expect([metadata.name, picked.map((one) => one.metadata.name)]).toEqual([metadata.name, [metadata.name]]);
      }
    });

    test('pods read only ConfigMaps and Secrets that are rendered, or that the values file names', () => {
      const given = readFileSync(`charts/onrush/${values}`, 'utf8');
      for (const [pod, { spec }] of pods(docs))
        for (const { kind, name } of referred(spec)) {
          const rendered = docs.some((doc) => doc.kind === kind && doc.metadata.name === name);
          expect([pod, kind, name, rendered || given.includes(`existingSecret: ${name}`)]).toEqual([
            pod,
            kind,
            name,
            true,
          ]);
        }
    });

    test('no password stands in a pod’s environment, and no variable twice', () => {
      for (const [pod, { spec }] of pods(docs))
        for (const { name, env = [] } of [...spec.containers, ...(spec.initContainers ?? [])]) {
          const names = env.map((variable) => variable.name);
          expect([pod, name, names]).toEqual([pod, name, [...new Set(names)]]);
          const open = env.filter(
            ({ name: variable, value }) =>
              value !== undefined && (/PASSWORD|SECRET|TOKEN/.test(variable) || /:\/\/[^/]*:[^/]*@/.test(value)),
          );
          expect([pod, name, open]).toEqual([pod, name, []]);
        }
    });

    test('pods of one kind are spread, and every object names its release', () => {
      for (const { kind, metadata, spec } of docs) {
        expect([kind, metadata.name, metadata.labels?.['app.kubernetes.io/instance']]).toEqual([
          kind,
          metadata.name,
          'onrush',
        ]);
        if (kind === 'Deployment' && metadata.name !== 'onrush-edge')
          expect([metadata.name, spec.template.spec.topologySpreadConstraints?.length > 0]).toEqual([
            metadata.name,
            true,
          ]);
      }
    });
  });

  test('an HTTPRoute sends every path of the contracts to the API that answers it', () => {
    const route = named(
      render(['httpRoute.enabled=true', 'httpRoute.parentRefs[0].name=gateway']),
      'HTTPRoute',
      'onrush',
    );
    const rules = (
      route.spec.rules as { matches: { path: { type: string; value: string } }[]; backendRefs: { name: string }[] }[]
    ).flatMap(({ matches, backendRefs }) => matches.map(({ path }) => ({ ...path, to: backendRefs[0]?.name })));
    // Gateways let a regular expression go before a prefix, and the longer prefix before the shorter.
    const routed = (path: string) =>
      (
        rules.find(({ type, value }) => type === 'RegularExpression' && new RegExp(`^(?:${value})$`).test(path)) ??
        rules
          .filter(({ type, value }) => type === 'PathPrefix' && (path === value || path.startsWith(`${value}/`)))
          .sort((a, b) => b.value.length - a.value.length)[0]
      )?.to;
    const owner: Record<string, string> = { coupon: 'onrush-coupon-api', balance: 'onrush-balance-api' };
    for (const module of ['balance', 'coupon', 'catalog', 'cart', 'order'])
      for (const [, path = ''] of readFileSync(`services/${module}/contract.ts`, 'utf8').matchAll(/path: '([^']+)'/g))
        expect([path, routed(path.replace(/\{\w+\}/g, 'test-user-1'))]).toEqual([
          path,
          owner[module] ?? 'onrush-order-api',
        ]);
  });

  test('KEDA scales on the lag of the groups and topics that the program uses, in place of replicas', () => {
    const docs = render([
      'kafka.enabled=false',
      'external.kafka.brokers=kafka.data:9092',
      'components.coupon-consumer.keda.enabled=true',
      'components.projections.keda.enabled=true',
    ]);
    const names = namesOf('onrush');
    for (const [component, group, topic] of [
      ['coupon-consumer', names.consumerGroup, names.couponTopic],
      ['projections', names.projectionGroup, names.orderTopic],
    ] as const) {
      const { spec } = named(docs, 'ScaledObject', `onrush-${component}`);
      expect(spec.scaleTargetRef.name).toBe(`onrush-${component}`);
      expect(spec.triggers[0].metadata).toMatchObject({ consumerGroup: group, topic });
      expect(named(docs, 'Deployment', `onrush-${component}`).spec).not.toHaveProperty('replicas');
    }
  });

  test.each(['coupon-api', 'balance-api', 'order-api'])(
    'without %s the edge and the route lead to the others',
    (off) => {
      const docs = render([
        `components.${off}.enabled=false`,
        'httpRoute.enabled=true',
        'httpRoute.parentRefs[0].name=web',
      ]);
      const services = docs.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
      const backends: string[] = named(docs, 'HTTPRoute', 'onrush').spec.rules.flatMap(
        (rule: { backendRefs: { name: string }[] }) => rule.backendRefs.map(({ name }) => name),
      );
      expect(backends).toHaveLength(2);
      expect(services).toEqual(expect.arrayContaining(backends));
      const conf = named(docs, 'ConfigMap', 'onrush-edge').data?.['nginx.conf'] ?? '';
      const upstreams = [...conf.matchAll(/upstream (\S+) /g)].map(([, name]) => name);
      expect(upstreams).toEqual(['coupon-api', 'balance-api', 'order-api'].filter((name) => name !== off));
      for (const [, name] of conf.matchAll(/proxy_pass http:\/\/([^;]+);/g)) expect(upstreams).toContain(name);
      expect(conf.match(/return 404/g)).toHaveLength(off === 'coupon-api' ? 3 : 2);
    },
  );
});
