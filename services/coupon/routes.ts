import type { Redis } from 'ioredis';
import { type Route, route } from '../core/http/serve.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Names } from '../core/names.ts';
import type { Models } from '../database/models.ts';
import { createCoupon, listCoupons, readCoupon, userCoupons, validateCoupon } from './admin.ts';
import {
  couponEndpoint,
  couponsEndpoint,
  createCouponEndpoint,
  issueEndpoint,
  issueStatusEndpoint,
  userCouponsEndpoint,
  validateEndpoint,
} from './contract.ts';
import type { Gate } from './gate.ts';
import { issue } from './issue.ts';
import { issueStatus } from './issue-status.ts';
import { untilGateOpens } from './until-gate-opens.ts';

export interface CouponDeps {
  models: Models;
  redis: Redis;
  gate: Gate;
  names: Names;
  metrics: Metrics;
}

export function couponRoutes(deps: CouponDeps): Route[] {
  const { models, redis, names } = deps;
  return [
    route(issueEndpoint, ({ params, body, key, trace }) => issue(deps, params.couponId, body.userId, key, trace)),
    route(createCouponEndpoint, async ({ body }) => {
      const created = await createCoupon(models, body);
      if (created.ok) await untilGateOpens(redis, names, created.value.couponId);
      return created;
    }),
    route(validateEndpoint, ({ body }) => validateCoupon(models, body, new Date())),
    route(couponsEndpoint, () => listCoupons(models)),
    route(couponEndpoint, ({ params }) => readCoupon(models, params.couponId)),
    route(issueStatusEndpoint, ({ params }) => issueStatus(deps, params.couponId, params.userId)),
    route(userCouponsEndpoint, ({ params, query }) => userCoupons(models, params.userId, query.status)),
  ];
}
