import { setTimeout as sleep } from 'node:timers/promises';
import { BenchFailure } from '../failure.ts';
import { type Cluster, type Item, NotFound, type Pod } from './cluster.ts';

interface CronJob extends Item {
  spec: { jobTemplate: { spec: { template: { spec: { containers: { name: string; args: string[] }[] } } } } };
}
interface Job extends Item {
  status: { conditions?: { type: string; status: string; message?: string }[] };
}

export interface JobRun {
  exitCode: number | undefined;
  /** What its container wrote. */
  output: string;
}

const LOOK_AGAIN_MS = 500;

/**
 * Runs a Job of the chart's suspended CronJob of this component, with these arguments in place of its own, and waits for its
 * end; the Job and its pod stay, to be looked at, until the next one of that name.
 * @throws BenchFailure if there is no such CronJob, or its pod did not end in time.
 */
export async function runJob(
  cluster: Cluster,
  component: string,
  name: string,
  args: string[],
  patienceMs: number,
): Promise<JobRun> {
  const [cronJob] = await cluster.list<CronJob>(
    'batch/v1',
    'cronjobs',
    `app.kubernetes.io/part-of=onrush,app.kubernetes.io/component=${component}`,
  );
  if (!cronJob)
    throw new BenchFailure(
      `the namespace ${cluster.namespace} has no CronJob of the component ${component}: is the chart installed, with ${component}.enabled?`,
    );
  const { spec } = cronJob.spec.jobTemplate;
  const container = spec.template.spec.containers[0] as { name: string; args: string[] };
  const deadline = Date.now() + patienceMs;
  await remove(cluster, name, deadline);
  await cluster.create('batch/v1', 'jobs', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: cronJob.metadata.labels },
    spec: {
      ...spec,
      template: { ...spec.template, spec: { ...spec.template.spec, containers: [{ ...container, args }] } },
    },
  });
  for (;;) {
    const job = await cluster.get<Job>(cluster.path('batch/v1', 'jobs', name));
    if (
      job.status.conditions?.some(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))
    )
      return ended(cluster, name, container.name);
    if (Date.now() > deadline) throw new BenchFailure(`the Job ${name} did not end within ${patienceMs / 1000} s`);
    await sleep(LOOK_AGAIN_MS);
  }
}

async function ended(cluster: Cluster, job: string, container: string): Promise<JobRun> {
  const [pod] = await cluster.list<Pod>('v1', 'pods', `batch.kubernetes.io/job-name=${job}`);
  if (!pod) return { exitCode: undefined, output: '' };
  const state = pod.status.containerStatuses?.find(({ name }) => name === container)?.state;
  const output = await cluster.text(`${cluster.path('v1', 'pods', pod.metadata.name)}/log?container=${container}`);
  return { exitCode: state?.terminated?.exitCode, output };
}

/** Deletes the Job of this name, and waits until its pods are gone too. */
async function remove(cluster: Cluster, name: string, deadline: number): Promise<void> {
  await cluster.delete('batch/v1', 'jobs', name);
  while (await exists(cluster, name)) {
    if (Date.now() > deadline) throw new BenchFailure(`the Job ${name} of an earlier run does not go away`);
    await sleep(LOOK_AGAIN_MS);
  }
}

async function exists(cluster: Cluster, name: string): Promise<boolean> {
  try {
    await cluster.get(cluster.path('batch/v1', 'jobs', name));
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}

/** The last line of a Job's output that is a JSON object. @throws BenchFailure with what it wrote instead. */
export function jsonIn<T>({ exitCode, output }: JobRun, what: string): T {
  const line = output
    .trimEnd()
    .split('\n')
    .findLast((text) => text.startsWith('{"'));
  if (line === undefined)
    throw new BenchFailure(
      `${what} ended with ${exitCode ?? 'no exit code'}: ${output.trim().split('\n').slice(-3).join(' / ')}`,
    );
  return JSON.parse(line) as T;
}
