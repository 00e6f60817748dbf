import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { openFlows } from './flows.ts';
import { type Doc, HELM, helmIsThere, named, pods, render, renderText } from './render.ts';

const withHelm = helmIsThere ? describe : describe.skip;
const VALUES = ['values.yaml', 'values-offline.yaml', 'values-kube-prometheus-stack.yaml'];
const OPERATOR = ['--api-versions', 'monitoring.coreos.com/v1'];
/** Whoever asks the API server, and nobody else. */
const WITH_TOKEN = [
  'Deployment onrush-observability-kube-state-metrics',
  'StatefulSet onrush-observability-prometheus',
];

const rendered = (values: string[] = [], more: string[] = []) =>
  render(['grafana.admin.password=p', ...values], more, 'observability');
const kinds = (docs: Doc[]) => new Set(docs.map(({ kind }) => kind));
const components = (docs: Doc[]) =>
  [...pods(docs).values()].map(({ labels }) => labels['app.kubernetes.io/component']).sort();

withHelm('charts/observability', () => {
  test('helm lint finds nothing', () => {
    const run = spawnSync(HELM, ['lint', '--strict', 'charts/observability'], { encoding: 'utf8' });
    expect([run.stdout, run.status]).toEqual([expect.stringContaining('0 chart(s) failed'), 0]);
  });

  describe.each(VALUES)('%s', (values) => {
    test('every pod fits the restricted pod security standard; a token only where the API is read', () => {
      for (const [name, { spec }] of pods(rendered([values]))) {
        const { securityContext, automountServiceAccountToken, enableServiceLinks, volumes = [] } = spec;
        expect([
          name,
          securityContext?.runAsNonRoot,
          securityContext?.seccompProfile?.type,
          automountServiceAccountToken,
          enableServiceLinks,
          volumes.filter((volume) => 'hostPath' in volume),
        ]).toEqual([name, true, 'RuntimeDefault', WITH_TOKEN.includes(name), false, []]);
        for (const { name: container, image, resources, securityContext: own } of spec.containers) {
          const locked = {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          };
          expect([name, container, own]).toEqual([name, container, locked]);
          const { requests, limits } = resources;
          expect([name, requests?.cpu, requests?.memory, limits?.memory]).not.toContain(undefined);
          expect(image).toMatch(/:v?\d[\w.-]+$/);
        }
      }
    });

    test('whatever runs says when it is ready and when it is dead', () => {
      for (const { kind, metadata, spec } of rendered([values])) {
        if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
        for (const { readinessProbe, livenessProbe, ports } of spec.template.spec.containers)
          for (const { httpGet } of [readinessProbe, livenessProbe])
            expect([metadata.name, ports.map(({ name }: { name: string }) => name)]).toEqual([
              metadata.name,
              expect.arrayContaining([httpGet.port]),
            ]);
      }
    });

    test('Services and accounts lead to what there is', () => {
      const docs = rendered([values]);
      for (const { metadata, spec } of docs.filter(({ kind }) => kind === 'Service')) {
        const behind = [...pods(docs).values()].filter(({ labels }) =>
          Object.entries(spec.selector).every(([key, value]) => labels[key] === value),
        );
        const open = behind.flatMap((pod) =>
          pod.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name)),
        );
        expect([metadata.name, behind.length, open]).toEqual([
          metadata.name,
          1,
          expect.arrayContaining(spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort)),
        ]);
      }
      for (const [name, pod] of pods(docs)) {
        const account = (pod.spec as unknown as { serviceAccountName: string }).serviceAccountName;
        expect([
          name,
          docs.some(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === account),
        ]).toEqual([name, true]);
      }
    });
  });

  test('rendered as it was when last looked at (UPDATE_GOLDEN=1 takes the new form)', () => {
    const file = 'charts/tests/golden/observability.yaml';
    // Rules and dashboards are compared with their sources elsewhere.
    const seen = renderText(['grafana.admin.password=p'], [], 'observability').replace(
      /^( +)((?:onrush-[\w-]+\.json|rules\.yaml): \|)\n(?:(?:\1 .*)?\n)+/gm,
      '$1$2\n$1  (made from dashboards/source)\n',
    );
    if (process.env.UPDATE_GOLDEN || !existsSync(file)) writeFileSync(file, seen);
    expect(seen).toBe(readFileSync(file, 'utf8'));
  });

  test('every dashboard is a ConfigMap with the label that Grafana’s sidecar looks for', () => {
    const docs = rendered();
    const files = readdirSync('dashboards').filter((name) => name.endsWith('.json'));
    expect(files).toHaveLength(7);
    for (const file of files) {
      const { metadata, data } = named(
        docs,
        'ConfigMap',
        `onrush-observability-dashboard-${file.replace('.json', '')}`,
      );
      expect(metadata.labels?.grafana_dashboard).toBe('1');
      expect(JSON.parse(data?.[`onrush-${file}`] ?? '')).toEqual(
        JSON.parse(readFileSync(`dashboards/${file}`, 'utf8')),
      );
    }
  });

  test('Prometheus has the rules, and watches the namespaces that are named, by a Role in each', () => {
    const docs = rendered(['namespaces={shop,sale}', 'prometheus.runbooks=https://git/runbooks']);
    const { data } = named(docs, 'ConfigMap', 'onrush-observability-prometheus');
    expect(parse(data?.['rules.yaml'] ?? '')).toEqual(
      parse(readFileSync('dashboards/rules.yaml', 'utf8').replaceAll('docs/runbooks.md', 'https://git/runbooks')),
    );
    const config = parse(data?.['prometheus.yaml'] ?? '', { merge: true });
    expect(config.scrape_configs[0].kubernetes_sd_configs[0].namespaces.names).toEqual(['shop', 'sale']);
    const roles = docs.filter(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('prometheus'));
    expect(roles.map(({ metadata }) => (metadata as unknown as { namespace: string }).namespace)).toEqual([
      'shop',
      'sale',
    ]);
    for (const role of roles)
      expect((role as unknown as { rules: unknown }).rules).toEqual([
        { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
      ]);
  });

  test('nothing reaches beyond its namespace but for the kubelets’ metrics, which can be left out', () => {
    expect(kinds(rendered())).toContain('ClusterRole');
    expect(kinds(rendered(['prometheus.cadvisor=false']))).not.toContain('ClusterRole');
    expect(JSON.stringify(rendered())).not.toContain('"secrets"');
  });

  test.each(['egress', 'ingress', 'both'] as const)('the policies leave open what is really called (%s)', (by) => {
    const exporters = ['kube-state-metrics', 'mysqld-exporter', 'redis-exporter'];
    expect(openFlows(rendered(['alertmanager.enabled=false']), by)).toEqual(
      [
        'grafana > jaeger:ui',
        'grafana > prometheus:http',
        ...exporters.map((exporter) => `prometheus > ${exporter}:metrics`),
        // Its own port named http is among those of the application that it may read.
        ...(by === 'egress' ? ['prometheus > grafana:http', 'prometheus > prometheus:http'] : []),
      ].sort(),
    );
  });

  test('the exporters carry the labels that the engines’ own policies let in', () => {
    for (const engine of ['mysql', 'redis']) {
      const policy = named(render([], [], engine), 'NetworkPolicy', `onrush-${engine}`);
      const exporter = engine === 'mysql' ? 'mysqld-exporter' : 'redis-exporter';
      const { spec } = named(rendered(), 'Deployment', `onrush-observability-${exporter}`);
      expect(spec.template.metadata.labels).toMatchObject(policy.spec.ingress[0].from[0].podSelector.matchLabels);
    }
  });

  test('the application lets Prometheus read its metrics', () => {
    const { spec } = named(rendered(), 'StatefulSet', 'onrush-observability-prometheus');
    const peers = parse(readFileSync('charts/onrush/values.yaml', 'utf8')).networkPolicy.metricsFrom;
    expect(spec.template.metadata.labels).toMatchObject(peers[0].podSelector.matchLabels);
  });

  test('offline there is no Grafana; beside a kube-prometheus-stack only what it lacks', () => {
    const all = ['alertmanager', 'jaeger', 'kube-state-metrics', 'mysqld-exporter', 'prometheus', 'redis-exporter'];
    expect(components(rendered(['values-offline.yaml']))).toEqual(all);
    expect(components(rendered())).toEqual([...all, 'grafana'].sort());
    const beside = rendered(['values-kube-prometheus-stack.yaml'], OPERATOR);
    expect(components(beside)).toEqual(['jaeger', 'mysqld-exporter', 'redis-exporter']);
    expect(kinds(beside)).toContain('PodMonitor');
    expect(kinds(rendered([], OPERATOR))).not.toContain('PodMonitor');
  });

  test.each([
    ['a misspelt key', 'prometeus.enabled=false', /prometeus/],
    ['an interval without its unit', 'prometheus.interval=5', /interval/],
    ['an address without a port', 'mysqldExporter.address=mysql', /address/],
    ['a receiver that is nowhere', 'alertmanager.config=none', /config/],
  ])('%s is refused', (_what, value, message) => {
    expect(() => rendered([value])).toThrow(message);
  });
});
