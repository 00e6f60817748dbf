import { parseExposition, sum } from '../bench/exposition.ts';
import type { Started } from '../test/start-services.ts';

/** The sum of a process's series of that name with these labels, now. */
export async function metric({ url }: Started, name: string, labels: Record<string, string> = {}): Promise<number> {
  return sum(parseExposition(await (await fetch(`${url}/metrics`)).text()), name, labels);
}
