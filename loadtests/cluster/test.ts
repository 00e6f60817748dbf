import { runAsProgram } from '../../services/core/program.ts';
import { runJest } from '../test/jest.ts';
import { run } from './commands.ts';

/** Every test of the charts, then of the cluster. */
const EVERYTHING = ['charts', 'loadtests/cluster'];

/**
 * What only a cluster can show, in the one that kubectl's context names. Needs kubectl, helm, skaffold and an engine that builds
 * images, and the k6-operator in the cluster. Arguments go to Jest, in place of the names of all its files.
 */
runAsProgram('loadtests/cluster/test.ts', async () => {
  for (const [command, args, why] of [
    ['kubectl', ['get', '--raw', '/readyz'], 'reaches no cluster'],
    ['helm', ['version'], 'is missing'],
    ['skaffold', ['version'], 'is missing'],
    ['kubectl', ['get', 'crd', 'testruns.k6.io'], 'finds no k6-operator: see README.md, In a cluster'],
  ] as const) {
    const { code, output } = run(command, [...args]);
    if (code !== 0) throw new Error(`${command} ${why}: ${output.trim().split('\n').at(-1)}`);
  }
  const given = process.argv.slice(2);
  process.exit(await runJest('jest.cluster.config.cjs', given.length > 0 ? given : EVERYTHING));
});
