import { type Html, html } from '../report/html.ts';

/** What `Profiler.stop` of Node's inspector gives, as far as it is needed here. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

interface Frame {
  name: string;
  /** Microseconds, what it called included. */
  total: number;
  children: Map<string, Frame>;
}

const WIDTH = 1200;
const HEIGHT = 16;
const HEADING = 24;
const LETTER = 6.2;
/** Frames narrower than this are left out. Pixels. */
const LEAST = 0.8;
/** Waiting for something to do is no work. */
const IDLE = new Set(['(idle)']);

/**
 * Draws where the time of a profile went: each bar is a function, as wide as its share of the busy time, and stands on its caller.
 * Functions of one file and name are one; colours tell ours, packages, Node and the engine apart.
 * @returns a whole SVG.
 */
export function flameGraph(profile: CpuProfile, title: string): string {
  const root = framesOf(profile);
  const bars: { name: string; x: number; width: number; level: number }[] = [];
  const place = (frame: Frame, from: number, level: number): void => {
    let x = from;
    for (const child of [...frame.children.values()].sort((a, b) => b.total - a.total)) {
      const width = (child.total / root.total) * WIDTH;
      if (width >= LEAST) {
        bars.push({ name: child.name, x, width, level });
        place(child, x, level + 1);
      }
      x += width;
    }
  };
  place(root, 0, 0);
  const height = (Math.max(0, ...bars.map(({ level }) => level)) + 1) * HEIGHT + HEADING;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">
<rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="4" y="15" font-size="12">${title}</text>
${bars.map(({ name, x, width, level }): Html => {
  const y = height - (level + 1) * HEIGHT;
  const label =
    width > 40 && html`<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${name.slice(0, width / LETTER)}</text>`;
  return html`<g><title>${name} ${((100 * width) / WIDTH).toFixed(1)} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${(width - 0.4).toFixed(1)}" height="${HEIGHT - 1}" fill="${colourOf(name)}"/>${label}</g>
`;
})}</svg>
`.text;
}

/** One tree of all samples' stacks. */
function framesOf({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callerOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const root: Frame = { name: '', total: 0, children: new Map() };
  samples.forEach((id, nth) => {
    const stack: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = callerOf.get(at)) {
      const node = byId.get(at);
      if (node && node.callFrame.functionName !== '(root)') stack.unshift(nameOf(node.callFrame));
    }
    if (IDLE.has(stack[0] ?? '')) return;
    const took = timeDeltas[nth] ?? 0;
    root.total += took;
    let frame = root;
    for (const name of stack) {
      let child = frame.children.get(name);
      if (!child) {
        child = { name, total: 0, children: new Map() };
        frame.children.set(name, child);
      }
      child.total += took;
      frame = child;
    }
  });
  return root;
}

/** `admit services/coupon/gate.ts`, `Router.handle router`, `emit node:events`. */
function nameOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  const ours = /(services\/.*)$/.exec(url)?.[1];
  return [name, packaged ?? ours ?? url].filter(Boolean).join(' ');
}

function colourOf(name: string): string {
  if (name.includes(' services/')) return '#8fc7a0';
  if (name.includes(' node:')) return '#f2d48f';
  if (name.includes(' ')) return '#9fc1e8';
  return '#e8a79f';
}
