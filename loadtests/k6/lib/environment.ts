import { type Profile, profileNamed } from './profiles.ts';
import { parseSlo } from './slo.ts';

const whole = (name: string, fallback: number): number => {
  const text = __ENV[name];
  if (!text) return fallback;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${name}=${text}: expected a whole number from 1`);
  return Number(text);
};

export const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8081').replace(/\/+$/, '');
export const PROFILE: Profile = profileNamed(__ENV.PROFILE || 'quick');
/** Seeded users that this run may take: so many, from test-user-FIRST_USER on. */
export const USERS = whole('USERS', 100_000);
export const FIRST_USER = whole('FIRST_USER', 1);
/** Length of a saturate run. */
export const SECONDS = whole('SECONDS', 20);
/** Length of a smoke or soak run, where it is given. */
export const GIVEN_SECONDS = __ENV.SECONDS ? SECONDS : undefined;
/** How many of the published virtual users come, of a hundred. */
export const VUS_PERCENT = whole('VUS_PERCENT', 100);
export const COUPON = __ENV.COUPON || 'test-coupon-1';
/** Where the summary goes as JSON. */
export const SUMMARY = __ENV.SUMMARY;

export const slo = parseSlo(open(import.meta.resolve('../../slo.yaml')));

/** How many runners share this load: each is held to its part of the rate. */
export const RUNNERS = Number(__ENV.RUNNERS || 1);

/** Where k6's metrics go to Prometheus, they say of which run and scenario they are. */
export const TAGS: Record<string, string> | undefined = __ENV.RUN
  ? { run: __ENV.RUN, profile: PROFILE, scenario: __ENV.SCENARIO || 'unnamed' }
  : undefined;
