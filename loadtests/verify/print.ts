import type { Row } from './check.ts';
import type { Verdict } from './verdict.ts';

const GROUPS = ['', 'coupons', 'wallets', 'stock', 'orders', 'clients against database'];
const RESULT = { ok: 'ok', violated: 'VIOLATED', unknown: 'unknown' } as const;
const COLOUR = { ok: 32, violated: 31, unknown: 33, PASS: 32, FAIL: 31, INCONCLUSIVE: 33 } as const;

/** The checks as a table, the offending rows beneath a violated one; the last line is the verdict alone. */
export function printVerdict(verdict: Verdict, out: NodeJS.WriteStream): void {
  const paint = (text: string, as: keyof typeof COLOUR) => (out.isTTY ? `\x1b[${COLOUR[as]}m${text}\x1b[0m` : text);
  const width = Math.max(...[...verdict.checks, ...verdict.notChecked].map(({ title }) => title.length));
  const lines = [`${'check'.padEnd(23)}${'what must hold'.padEnd(width)}      rows  result    seconds`];
  for (const [group, name] of GROUPS.entries()) {
    const checks = verdict.checks.filter((check) => check.group === group);
    const notChecked = verdict.notChecked.filter((check) => check.group === group);
    if (checks.length + notChecked.length > 0) lines.push(`${group} ${name}`);
    for (const { id, title, checked, status, seconds, violations, rows, reason } of checks) {
      const result = paint(RESULT[status].padEnd(8), status);
      lines.push(
        `  ${id.padEnd(21)}${title.padEnd(width)}${String(checked).padStart(10)}  ${result}  ${seconds.toFixed(2).padStart(7)}`,
      );
      if (reason) lines.push(`      ${reason}`);
      for (const row of rows) lines.push(`      ${describe(row)}`);
      if (violations > rows.length) lines.push(`      … ${violations} in all`);
    }
    for (const { id, title, reason } of notChecked)
      lines.push(`  ${id.padEnd(21)}${title.padEnd(width)}${''.padStart(10)}  not checked: ${reason}`);
  }
  if (verdict.lostPromises !== null) lines.push(`lost promises: ${verdict.lostPromises}`);
  if (verdict.verdict !== 'PASS') for (const reason of verdict.reasons) lines.push(`- ${reason}`);
  lines.push(`verified in ${verdict.seconds.toFixed(2)} s`);
  lines.push(`verdict: ${paint(verdict.verdict, verdict.verdict)}`);
  out.write(`${lines.join('\n')}\n`);
}

function describe(row: Row): string {
  return Object.entries(row)
    .map(([column, value]) => `${column}=${value}`)
    .join(' ');
}
