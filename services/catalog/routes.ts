import { type Route, route } from '../core/http/serve.ts';
import { listProductsEndpoint, popularProductsEndpoint, readProductEndpoint, readStockEndpoint } from './contract.ts';
import { listProducts } from './list.ts';
import { popularProducts, type Ranking } from './popular.ts';
import { readProduct, readStock } from './read.ts';

/** `popular` stands before the product whose id it would otherwise be taken for. */
export function catalogRoutes(ranking: Ranking): Route[] {
  const { models } = ranking;
  return [
    route(listProductsEndpoint, ({ query }) => listProducts(models, query)),
    route(popularProductsEndpoint, ({ query }) => popularProducts(ranking, query, Date.now())),
    route(readProductEndpoint, ({ params }) => readProduct(models, params.productId)),
    route(readStockEndpoint, ({ params }) => readStock(models, params.productId)),
  ];
}
