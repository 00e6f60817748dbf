import { execFileSync, spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

/** The parts of Kubernetes' objects that the tests look at. */
export interface Container {
  name: string;
  image: string;
  args?: string[];
  command?: string[];
  env?: { name: string; value?: string }[];
  ports?: { name: string; containerPort: number }[];
  resources: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: Record<string, unknown>;
}
export interface Pod {
  labels: Record<string, string>;
  spec: {
    automountServiceAccountToken?: boolean;
    enableServiceLinks?: boolean;
    securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type: string } };
    containers: Container[];
    initContainers?: Container[];
    volumes?: Record<string, unknown>[];
  };
}
export interface Doc {
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the kind
  spec?: any;
  data?: Record<string, string>;
}

export const HELM = process.env.HELM || 'helm';
export const helmIsThere = spawnSync(HELM, ['version']).status === 0;

/** Packs the engines' charts into the application's, as every install from the checkout does. */
export function buildDependencies(): void {
  execFileSync(HELM, ['dependency', 'build', 'charts/onrush', '--skip-refresh'], { stdio: 'ignore' });
}

const SECRETS = [
  'mysql.auth.password=p',
  'mysql.auth.rootPassword=r',
  'redis.auth.password=p',
  'auth.secret=not-made-up-and-longer-than-32-characters',
];

/** What `helm template` prints, without made-up passwords. Values are `a.b=c`; a name that ends in .yaml is a values file. */
export function renderText(values: string[] = [], more: string[] = [], chart = 'onrush'): string {
  const given = values.flatMap((value) =>
    value.endsWith('.yaml') ? ['-f', `charts/${chart}/${value}`] : ['--set', value],
  );
  const fixed = chart === 'onrush' ? SECRETS.flatMap((value) => ['--set', value]) : [];
  const args = [
    'template',
    'onrush',
    `charts/${chart}`,
    '-n',
    'shop',
    '--kube-version',
    '1.34',
    ...fixed,
    ...given,
    ...more,
  ];
  const run = spawnSync(HELM, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}

export function render(values: string[] = [], more: string[] = [], chart = 'onrush'): Doc[] {
  return parseAllDocuments(renderText(values, more, chart), { merge: true })
    .map((document) => document.toJS() as Doc | null)
    .filter((doc) => doc !== null);
}

export const named = (docs: Doc[], kind: string, name: string): Doc => {
  const doc = docs.find((one) => one.kind === kind && one.metadata.name === name);
  if (!doc)
    throw new Error(`no ${kind} ${name} among ${docs.map((one) => `${one.kind} ${one.metadata.name}`).join(', ')}`);
  return doc;
};

/** Every pod that some object here would make, by the object's kind and name. */
export function pods(docs: Doc[]): Map<string, Pod> {
  const found = new Map<string, Pod>();
  for (const { kind, metadata, spec } of docs) {
    const template =
      kind === 'CronJob' ? spec.jobTemplate.spec.template : kind === 'Pod' ? { metadata, spec } : spec?.template;
    if (template?.spec?.containers)
      found.set(`${kind} ${metadata.name}`, { labels: template.metadata.labels, spec: template.spec });
  }
  return found;
}
