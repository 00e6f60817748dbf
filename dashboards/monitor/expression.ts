/** What a query reads and by what it groups, from the syntax tree that Prometheus gives (api/v1/parse_query). */
export interface Reads {
  metric: string;
  /** Labels it is matched by. */
  labels: string[];
}
export interface Groups {
  labels: string[];
  /** Metrics below, which must have the labels. */
  metrics: string[];
}

interface Node {
  type?: string;
  name?: string;
  matchers?: { name: string }[];
  grouping?: string[];
}

export function readsOf(tree: unknown): Reads[] {
  return nodesOf(tree)
    .filter(({ type }) => type === 'vectorSelector' || type === 'matrixSelector')
    .map(({ name = '', matchers = [] }) => ({
      metric: name,
      labels: matchers.map((matcher) => matcher.name).filter((label) => label !== '__name__'),
    }));
}

export function groupsOf(tree: unknown): Groups[] {
  return nodesOf(tree)
    .filter(({ type, grouping = [] }) => type === 'aggregation' && grouping.length > 0)
    .map((node) => ({ labels: node.grouping ?? [], metrics: readsOf(node).map(({ metric }) => metric) }));
}

function nodesOf(tree: unknown): Node[] {
  if (Array.isArray(tree)) return tree.flatMap(nodesOf);
  if (typeof tree !== 'object' || tree === null) return [];
  const below = Object.values(tree).flatMap(nodesOf);
  return 'type' in tree && typeof tree.type === 'string' && !/^[!=]/.test(tree.type) ? [tree as Node, ...below] : below;
}
