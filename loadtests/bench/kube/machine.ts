import type { Results } from '../../report/results.ts';
import type { Cluster, Item, Pod } from './cluster.ts';

interface Node extends Item {
  status: { capacity: { cpu: string; memory: string }; nodeInfo: { kubeletVersion: string; osImage: string } };
}

/** What the figures were taken on: nodes, and how many pods of what. */
export async function describeCluster(
  cluster: Cluster,
  sizes: Record<string, number>,
  loadImage: string,
  runners: number,
): Promise<Results['machine']> {
  const { items: nodes } = await cluster.get<{ items: Node[] }>('/api/v1/nodes');
  const first = nodes[0]?.status;
  const gibibytes = Number.parseInt(first?.capacity.memory ?? '0', 10) / 2 ** 20;
  return [
    { label: 'Cluster', value: `Kubernetes ${first?.nodeInfo.kubeletVersion ?? 'unknown'}` },
    {
      label: 'Nodes',
      value: `${nodes.length} × ${first?.capacity.cpu ?? '?'} CPU, ${gibibytes.toFixed(1)} GiB, ${first?.nodeInfo.osImage ?? ''}`,
    },
    {
      label: 'Pods',
      value: Object.entries(sizes)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([component, pods]) => `${component} ${pods}`)
        .join(', '),
    },
    { label: 'Load generator', value: `${loadImage} in ${runners} pods, ${await whereRunnersRun(cluster)}` },
  ];
}

/** A generator on a node of its own leaves the APIs theirs. */
async function whereRunnersRun(cluster: Cluster): Promise<string> {
  const nodesOf = (pods: Pod[]) => new Set(pods.map(({ spec }) => spec.nodeName));
  const runners = nodesOf(await cluster.list<Pod>('v1', 'pods', 'runner=true'));
  const apis = nodesOf(
    await cluster.list<Pod>('v1', 'pods', 'app.kubernetes.io/part-of=onrush,app.kubernetes.io/component'),
  );
  return [...runners].some((node) => apis.has(node)) ? 'on nodes that the APIs run on too' : 'on nodes of their own';
}
