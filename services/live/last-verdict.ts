import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { LastVerdict } from './sample.ts';

/** Of results.json, which `npm run bench` writes, what is shown. */
const results = z.object({
  verdict: z.enum(['PASS', 'FAIL', 'INCONCLUSIVE']),
  startedAt: z.iso.datetime(),
  seconds: z.number(),
  profile: z.string(),
  reasons: z.array(z.string()),
});

/** Reads the last load run's verdict whenever its file is another one; null where there is none that can be read. */
export function lastVerdictOf(path: string): () => Promise<LastVerdict | null> {
  let known: { file: string; verdict: LastVerdict | null } | undefined;
  return async () => {
    const found = await stat(path).catch(() => undefined);
    if (!found) return null;
    const file = `${found.ino} ${found.mtimeMs}`;
    if (known?.file === file) return known.verdict;
    const text = await readFile(path, 'utf8').catch(() => '');
    const verdict = results.safeParse(parsed(text)).data ?? null;
    known = { file, verdict: verdict && { ...verdict, reasons: verdict.reasons.slice(0, 5) } };
    return known.verdict;
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
