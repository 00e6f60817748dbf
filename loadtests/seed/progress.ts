import cliProgress from 'cli-progress';

export type OnProgress = (table: string, done: number, total: number) => void;

/** A bar for each table on a terminal; elsewhere (CI, a pod's log) one line when the table is finished. */
export function showProgress(out: NodeJS.WriteStream): OnProgress {
  let began = performance.now();
  let bar: cliProgress.SingleBar | undefined;
  return (table, done, total) => {
    if (out.isTTY) {
      if (!bar) {
        bar = new cliProgress.SingleBar({ stream: out, format: '{table} {bar} {value}/{total} users' });
        bar.start(total, 0, { table: table.padEnd(13) });
      }
      bar.update(done);
      if (done === total) bar.stop();
    } else if (done === total) {
      out.write(`${table.padEnd(13)} for ${total} users in ${((performance.now() - began) / 1000).toFixed(2)} s\n`);
    }
    if (done === total) {
      bar = undefined;
      began = performance.now();
    }
  };
}
