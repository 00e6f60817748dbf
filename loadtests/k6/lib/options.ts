import type { Options } from 'k6/options';
import { PROFILE, RUNNERS, slo, TAGS } from './environment.ts';
import type { ApiName } from './slo.ts';

/** What every run shares. Labels cost k6 more than requests do, so only the name of the API is kept. */
const common: Options = {
  systemTags: ['name'],
  discardResponseBodies: true,
  summaryTrendStats: ['avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
  ...(TAGS ? { tags: TAGS } : {}),
};

/** Latency and rate are held to the targets where the load is the published one: not in five seconds, nor at full stretch. */
const heldToTargets = PROFILE === 'quick' || PROFILE === 'published';

/**
 * @param apis what the scenario calls, with the rate that its pauses allow where the published rate can be asked of it.
 */
export function optionsFor(
  scenarios: NonNullable<Options['scenarios']>,
  apis: Partial<Record<ApiName, { rateOfPauses?: number }>>,
): Options {
  const thresholds: NonNullable<Options['thresholds']> = {};
  for (const [name, { rateOfPauses }] of Object.entries(apis) as [ApiName, { rateOfPauses?: number }][]) {
    const { p95_ms, tps, error_rate } = slo[name];
    // k6 reports figures by name only where a threshold asks for them; `max>=0` asks and always holds.
    thresholds[`http_req_duration{name:${name}}`] = [heldToTargets ? `p(95)<${p95_ms}` : 'max>=0'];
    thresholds[`http_reqs{name:${name}}`] = ['count>0'];
    thresholds[`http_req_failed{name:${name}}`] = [`rate<=${error_rate}`];
    thresholds[`${name}_unexpected`] = ['count<1'];
    if (heldToTargets && rateOfPauses !== undefined)
      thresholds[`http_reqs{name:${name}}`]?.push(`rate>=${Math.min(tps, Math.floor(rateOfPauses * 0.9)) / RUNNERS}`);
  }
  return { ...common, scenarios, thresholds };
}

/** Reads have no published target; they must answer. */
export const readsMustAnswer: NonNullable<Options['thresholds']> = {
  'http_req_duration{name:read}': ['max>=0'],
  'http_reqs{name:read}': ['count>0'],
  'http_req_failed{name:read}': ['rate<=0.01'],
};
