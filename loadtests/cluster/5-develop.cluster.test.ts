import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { done, NAMESPACE, objects, run, start } from './commands.ts';
import { deployment, MINUTES } from './deployments.ts';

test(
  'skaffold dev brings a code change into the running pods, and leaves the engines alone',
  async () => {
    const copy = mkdtempSync(join(tmpdir(), 'onrush-dev-'));
    for (const file of done('git', ['ls-files']).trim().split('\n'))
      cpSync(file, join(copy, file), { recursive: true });
    const engines = () =>
      objects('pods')
        .filter(({ metadata }) => /-(mysql|redis|kafka)-0$/.test(metadata.name))
        .map(({ metadata, status }) => [metadata.uid, status.containerStatuses[0].restartCount]);
    const before = engines();
    const dev = start('skaffold-dev', 'skaffold', ['dev', '--cleanup=false', '--port-forward=off', '--tail=false'], {
      cwd: copy,
    });
    try {
      await until(() => dev.log().includes('Watching for changes'), 10 * MINUTES, dev.log);
      const answer = `/api/v1/namespaces/${NAMESPACE}/services/${deployment('balance-api')}:http/proxy/openapi.json`;
      const title = () => /"title":"([^"]*)"/.exec(run('kubectl', ['get', '--raw', answer]).output)?.[1];
      await until(() => title() === 'Onrush', MINUTES, dev.log);
      const file = resolve(copy, 'services/app.ts');
      const source = readFileSync(file, 'utf8');
      expect(source).toContain("title: 'Onrush'");
      const changed = Date.now();
      writeFileSync(file, source.replace("title: 'Onrush'", "title: 'Onrush, changed'"));
      await until(() => title() === 'Onrush, changed', MINUTES, dev.log);
      console.log(`a code change reached a running pod after ${(Date.now() - changed) / 1000} s`);
      expect(engines()).toEqual(before);
    } finally {
      dev.child.kill('SIGINT');
      await dev.ended;
    }
  },
  15 * MINUTES,
);

async function until(holds: () => boolean | Promise<boolean>, withinMs: number, log: () => string): Promise<void> {
  for (const end = Date.now() + withinMs; !(await holds()); await sleep(200))
    if (Date.now() > end) throw new Error(`not within ${withinMs / 1000} s; ${log().slice(-3_000)}`);
}
