import type { Results } from '../report/results.ts';
import { kubectl, objects } from './commands.ts';

export const APIS = ['balance-api', 'coupon-api', 'order-api'];
export const WORKERS = ['coupon-consumer', 'coupon-gatekeeper', 'outbox-relay', 'projections'];
/** Milliseconds. */
export const MINUTES = 60_000;

export const deployment = (component: string): string => `onrush-${component}`;

/** What skaffold built: repository:tag. */
export const imageOf = (component: string): string =>
  objects('deployments').find(({ metadata }) => metadata.name === deployment(component))?.spec.template.spec
    .containers[0].image;

export const podsOf = (component: string) => objects('pods', '-l', `app.kubernetes.io/component=${component}`);

export const deleteOnePod = (component: string): string =>
  kubectl('delete', 'pod', '--wait=false', podsOf(component)[0].metadata.name);

/** Waits until everything that was disturbed stands again. */
export const settled = (): string =>
  kubectl('wait', 'deployment', '--all', '--for=condition=Available', '--timeout=180s') +
  kubectl('rollout', 'status', 'statefulset', '--timeout=180s');

/** Invariants that do not hold. */
export const violated = ({ invariants }: Results) =>
  invariants?.checks.filter(({ status }) => status !== 'ok' && status !== 'not checked') ?? ['not verified'];
