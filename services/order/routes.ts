import { type Route, route } from '../core/http/serve.ts';
import type { Models } from '../database/models.ts';
import { listOrdersEndpoint, placeOrderEndpoint, readOrderEndpoint } from './contract.ts';
import { orderPlacer, type PlaceDeps } from './place.ts';
import { listOrders, readOrder } from './reads.ts';

export function orderRoutes(deps: PlaceDeps & { models: Models }): Route[] {
  const place = orderPlacer(deps);
  return [
    route(placeOrderEndpoint, ({ body, key, deadline, trace }) => place(body, key, deadline, trace)),
    route(listOrdersEndpoint, ({ query }) => listOrders(deps.models, query)),
    route(readOrderEndpoint, ({ params }) => readOrder(deps.models, params.orderId)),
  ];
}
