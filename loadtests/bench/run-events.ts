/*
 * What a load run tells to Prometheus, where ONRUSH_BENCH_PROMETHEUS names one: k6's own metrics by remote write, and the
 * run's events, which the dashboards draw as lines across every panel.
 */

/** Names and labels that dashboards/source/metrics.ts knows. */
export const RUN_EVENT = 'onrush_run_event_timestamp_seconds';
export type RunEvent = 'start' | 'stage' | 'fault' | 'end' | 'verdict';

/** Of its results' directory and of its metrics' label. */
export const nameOfRun = (began: Date): string => began.toISOString().replace(/[:.]/g, '-');

/** So late that a Prometheus which does not answer would delay the load itself. Milliseconds. */
const PATIENCE = 2_000;

export interface RunEvents {
  /** Environment for k6, for a scenario of this name. */
  k6Env(scenario: string): Record<string, string>;
  tell(event: RunEvent, detail: string): Promise<void>;
}

/** A Prometheus that receives remote write and OTLP: its base URL as the bench reaches it, and as k6 does. */
export interface Recorder {
  fromHere: string;
  fromK6: string;
}

/** Without a recorder nothing is told. */
export function runEvents(recorder: Recorder | undefined, run: string, say: (line: string) => void): RunEvents {
  if (!recorder) return { k6Env: () => ({}), tell: async () => {} };
  const base = recorder.fromHere.replace(/\/+$/, '');
  let silent = false;
  return {
    k6Env: (scenario) => ({
      RUN: run,
      SCENARIO: scenario,
      K6_OUT: 'experimental-prometheus-rw',
      K6_PROMETHEUS_RW_SERVER_URL: `${recorder.fromK6.replace(/\/+$/, '')}/api/v1/write`,
      K6_PROMETHEUS_RW_TREND_STATS: 'p(50),p(95),p(99)',
      // So that the last of a run's values is not taken for one that goes on.
      K6_PROMETHEUS_RW_STALE_MARKERS: 'true',
    }),
    async tell(event, detail) {
      if (silent) return;
      try {
        await push(base, event, detail, run);
      } catch (error) {
        silent = true;
        say(`run events are not recorded: ${base} does not take them: ${(error as Error).message}`);
      }
    },
  };
}

async function push(base: string, event: RunEvent, detail: string, run: string): Promise<void> {
  const now = Date.now();
  const attributes = Object.entries({ run, event, detail }).map(([key, stringValue]) => ({
    key,
    value: { stringValue },
  }));
  const dataPoints = [{ timeUnixNano: `${now}000000`, asDouble: now / 1000, attributes }];
  const body = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: RUN_EVENT, gauge: { dataPoints } }] }] }] };
  const answer = await fetch(`${base}/api/v1/otlp/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).trim()}`);
}
