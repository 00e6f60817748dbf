import type { Profile } from '../k6/lib/profiles.ts';
import type { ApiName } from '../k6/lib/slo.ts';
import type { RawLoad } from '../raw/load.ts';
import type { WrkLoad } from './wrk.ts';

/** One k6 run and what it loads. */
export interface Scenario {
  title: string;
  script: string;
  apis: ApiName[];
  env: Record<string, string>;
  /** The same requests by wrk, for the profile that goes to the limit. */
  wrk?: WrkLoad;
  /** The same SQL on the engine alone, for the profile that goes to the limit. */
  raw?: RawLoad;
}

const published = {
  coupon: { title: 'Coupon drop', script: 'coupon-issue.ts', apis: ['coupon'], env: {} },
  charge: { title: 'Balance charges', script: 'balance-charge.ts', apis: ['charge'], env: {} },
  order: { title: 'Orders with payment', script: 'order-payment.ts', apis: ['order'], env: {} },
  journey: { title: 'Whole visits', script: 'journey.ts', apis: ['coupon', 'charge', 'order'], env: {} },
  spike: { title: 'Spike', script: 'spike.ts', apis: ['coupon', 'charge', 'order'], env: {} },
} satisfies Record<string, Scenario>;

const saturating = {
  coupon: {
    ...published.coupon,
    title: 'Coupons, each user once',
    wrk: { script: 'coupon-issue.lua', connections: 200 },
  },
  'charge-hot': {
    ...published.charge,
    title: 'Charges on 10 wallets',
    env: { WALLETS: '10' },
    wrk: { script: 'balance-charge.lua', connections: 100 },
    raw: { kind: 'charge', users: 10 },
  },
  'charge-spread': {
    ...published.charge,
    title: 'Charges on 10,000 wallets',
    env: { WALLETS: '10000' },
    wrk: { script: 'balance-charge.lua', connections: 100 },
    raw: { kind: 'charge', users: 10_000 },
  },
  order: {
    ...published.order,
    title: 'Orders of three products',
    wrk: { script: 'order-payment.lua', connections: 100 },
    raw: { kind: 'order', users: 10_000 },
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof published | keyof typeof saturating;

export const SCENARIO_NAMES = [...new Set([...Object.keys(published), ...Object.keys(saturating)])] as ScenarioName[];

/** Everything the profile has, or what it runs unless told otherwise: coupons, charges and orders, in this order. */
export function scenarioNamesOf(profile: Profile, which: 'all' | 'default' = 'all'): ScenarioName[] {
  if (profile === 'saturate') return Object.keys(saturating) as ScenarioName[];
  if (profile === 'soak') return ['journey'];
  return which === 'all' ? (Object.keys(published) as ScenarioName[]) : ['coupon', 'charge', 'order'];
}

export function scenarioOf(profile: Profile, name: ScenarioName): Scenario {
  const scenarios: Partial<Record<ScenarioName, Scenario>> = profile === 'saturate' ? saturating : published;
  const scenario = scenarios[name];
  if (!scenario) throw new Error(`the profile ${profile} has no scenario ${name}`);
  return scenario;
}
