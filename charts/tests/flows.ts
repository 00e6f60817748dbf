import { type Doc, type Pod, pods } from './render.ts';

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values: string[] }[];
}
interface Rule {
  from?: { podSelector?: Selector }[];
  to?: { podSelector?: Selector }[];
  ports?: { port: number | string }[];
}

export function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Record<string, string>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`operator ${operator}: not read here`);
      return values.includes(labels[key] ?? '');
    })
  );
}

/** What a pod is called in these tests: an engine's name, or the component's. */
export const roleOf = ({ labels }: Pod): string =>
  labels['app.kubernetes.io/component'] ?? labels['app.kubernetes.io/name'] ?? '';

/**
 * The connections between this release's pods that the policies leave open, as `from > to:port`: as the senders' egress
 * has it, as the receivers' ingress has it, or (both) as a packet meets them. A pod that no policy selects would be open
 * to all, which is an error here.
 */
export function openFlows(docs: Doc[], by: 'egress' | 'ingress' | 'both'): string[] {
  const policies = docs.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec);
  const of = (pod: Pod) => {
    const own = policies.filter(({ podSelector }) => selects(podSelector, pod.labels));
    if (own.length === 0) throw new Error(`no policy selects ${roleOf(pod)}`);
    return own;
  };
  const all = [...pods(docs).values()];
  const open = new Set<string>();
  for (const sender of all) {
    for (const receiver of all) {
      for (const port of receiver.spec.containers.flatMap(({ ports = [] }) => ports)) {
        const out = of(sender).some(({ egress }) => allows(egress, 'to', receiver, port));
        const into = of(receiver).some(({ ingress }) => allows(ingress, 'from', sender, port));
        if (by === 'egress' ? out : by === 'ingress' ? into : out && into)
          open.add(`${roleOf(sender)} > ${roleOf(receiver)}:${port.name}`);
      }
    }
  }
  return [...open].sort();
}

function allows(rules: Rule[], side: 'from' | 'to', peer: Pod, port: { name: string; containerPort: number }): boolean {
  return rules.some(
    (rule) =>
      (!rule.ports || rule.ports.some((one) => one.port === port.name || one.port === port.containerPort)) &&
      (!rule[side] || rule[side].some(({ podSelector }) => podSelector && selects(podSelector, peer.labels))),
  );
}
