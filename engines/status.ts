import { durabilityLine, engineNames, labels } from './engines.ts';
import { reason, runAsProgram } from './failure.ts';
import { runningPid } from './native/daemon.ts';
import { readRecord } from './record.ts';
import { readEngine } from './running/read.ts';
import { masked } from './say.ts';

/** Prints what each engine says about itself now; exit code 0 if all answer. */
async function status(): Promise<number> {
  const record = readRecord();
  if (!record) {
    console.log('engines are down: npm run up starts them');
    return 1;
  }
  const rows = await Promise.all(
    engineNames.map(async (name) => {
      const place = record[name];
      const pid = place.kind === 'native' ? await runningPid(name) : undefined;
      // Whoever answers on the port of a process of ours that is gone is not our engine.
      const gone = place.kind === 'native' && pid === undefined;
      const reading = gone ? new Error('stopped') : await readEngine(name, place).catch((error: Error) => error);
      const first = [labels[name], place.kind];
      const where = [masked(place.endpoint), pid === undefined ? '-' : String(pid)];
      return reading instanceof Error
        ? { answers: false, cells: [...first, '-', ...where, 'no', reason(reading)] }
        : { answers: true, cells: [...first, reading.version, ...where, 'yes', durabilityLine(reading.durability)] };
    }),
  );
  const table = [
    ['engine', 'kind', 'version', 'endpoint', 'pid', 'answers', 'durability'],
    ...rows.map((row) => row.cells),
  ];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  return rows.every(({ answers }) => answers) ? 0 : 1;
}

runAsProgram('engines/status.ts', status);
