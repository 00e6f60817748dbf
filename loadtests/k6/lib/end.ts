import { SUMMARY } from './environment.ts';
import { summarize, summaryText } from './summary.ts';

/** k6 calls it after the run: prints the summary, and writes it as JSON where SUMMARY names a file. */
export function handleSummary(data: Parameters<typeof summarize>[0]): Record<string, string> {
  const summary = summarize(data);
  return {
    stdout: summaryText(summary),
    ...(SUMMARY ? { [SUMMARY]: `${JSON.stringify(summary)}\n` } : {}),
  };
}
