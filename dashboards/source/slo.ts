import { readFileSync } from 'node:fs';
import { parseSlo } from '../../loadtests/k6/lib/slo.ts';
import { like } from './promql.ts';

/** What each API is held to. */
export const slo = parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'));

/** Of answers within p95_ms, by the meaning of p95. */
export const WITHIN = 0.95;

export const APIS = ['coupon', 'charge', 'order'] as const;
export type Api = (typeof APIS)[number];

export const TITLES: Record<Api, string> = { coupon: 'Coupon issue', charge: 'Balance charge', order: 'Order' };

/** Labels of an API's requests. */
export const requestsOf = (api: Api) => ({ method: 'POST', route: slo[api].route });

/** Requests without a usable answer: 5xx, and 499 for a client that gave up first. */
export const FAILED = like('5..|499');
