/** Columns as wide as what stands in them; the last one as it is. Control characters are shown, not sent to the terminal. */
export function table(head: string[], rows: (string | number)[][]): string {
  const lines = [head, ...rows.map((row) => row.map((cell) => visible(String(cell))))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) => line.map((cell, column) => (column === head.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}

const visible = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be shown
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
