import { weightOf } from '../k6/lib/weight.ts';

/** The weight of the wallet that a write is for, which its path or its body names. */
export function weightOfWrite({ path, body }: { path: string; body: Record<string, unknown> }): number {
  return weightOf(/^\/api\/users\/([^/]+)\//.exec(path)?.[1] ?? String(body.userId));
}
