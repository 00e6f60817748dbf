import { parseSync } from '@swc/core';

/** An expression that becomes a part of a statement's text. */
export interface Interpolation {
  file: string;
  /** As it stands in the source. */
  expression: string;
}

interface Node {
  type: string;
  span?: { start: number; end: number };
  [key: string]: unknown;
}

const STATEMENT =
  /^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|SET|CREATE|ALTER|DROP|RENAME|TRUNCATE|LOCK|UNLOCK|CALL|WITH|KILL|SHOW|DO|USE)\b/i;
/** A piece of one: a comparison with a parameter. */
const PIECE = /(=|<|>|\bIN)\s*\(?\?/;
/** What takes a statement, or a piece of one, as its first argument. */
const TAKES_SQL = ['query', 'execute', 'literal', 'raw', 'prepare'];

/**
 * Finds what a TypeScript source puts into SQL by `${…}` or `+`: in every text that begins like a statement, wherever it
 * stands, and in whatever else is handed to a call that takes SQL.
 */
export function sqlInterpolations(file: string, source: string): Interpolation[] {
  // The first token stands at the very beginning then, so that the module's own span tells where the file begins.
  const text = Buffer.from(`;${source}`);
  const module = parseSync(text.toString(), { syntax: 'typescript', target: 'es2024' }) as unknown as Node;
  const base = module.span?.start ?? 0;
  const sourceOf = ({ span }: Node) => text.subarray((span?.start ?? 0) - base, (span?.end ?? 0) - base).toString();
  const found = new Map<Node, Interpolation>();
  const keep = (expressions: Node[]) => {
    for (const one of expressions)
      if (one.type !== 'StringLiteral') found.set(one, { file, expression: sourceOf(one).replace(/\s+/g, ' ') });
  };
  const walk = (node: Node) => {
    if (STATEMENT.test(beginning(node)) || (node.type === 'TemplateLiteral' && PIECE.test(fixed(node))))
      keep(inserted(node));
    if (node.type === 'CallExpression') {
      const [first] = node.arguments as { expression: Node }[];
      // A value that was made harmless is no parameter.
      if (/^escape(Id)?$/.test(nameOf(node.callee as Node))) keep([node]);
      if (first && TAKES_SQL.includes(nameOf(node.callee as Node))) keep(inserted(first.expression));
    }
    for (const child of Object.values(node)) for (const one of [child].flat()) if (isNode(one)) walk(one);
  };
  walk(module);
  return [...found.values()];
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !('ctxt' in value && !('type' in value));

/** The text with which a template or a sum of strings begins. */
function beginning(node: Node): string {
  if (node.type === 'TemplateLiteral') return (node.quasis as { cooked?: string }[])[0]?.cooked ?? '';
  if (node.type === 'StringLiteral') return node.value as string;
  return node.type === 'BinaryExpression' && node.operator === '+' ? beginning(node.left as Node) : '';
}

/** All fixed pieces of a template. */
const fixed = ({ quasis }: Node): string =>
  (quasis as { cooked?: string }[]).map(({ cooked }) => cooked ?? '').join(' ');

/** What is put between the fixed pieces of a text. */
function inserted(node: Node): Node[] {
  if (node.type === 'TemplateLiteral')
    return (node.expressions as Node[]).flatMap((one) => (one.type === 'TemplateLiteral' ? inserted(one) : [one]));
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return [];
  return [node.left, node.right].flatMap((side) => {
    const part = side as Node;
    return part.type === 'TemplateLiteral' || part.type === 'BinaryExpression' ? inserted(part) : [part];
  });
}

function nameOf(callee: Node): string {
  const name = callee.type === 'MemberExpression' ? (callee.property as Node) : callee;
  return name.type === 'Identifier' ? (name.value as string) : '';
}
