import type { Order } from 'sequelize';
import type { z } from 'zod';
import type { Outcome } from '../core/refusals.ts';
import type { Models, ProductRow } from '../database/models.ts';
import type { listProductsEndpoint } from './contract.ts';
import { toProduct } from './read.ts';

type Query = z.infer<typeof listProductsEndpoint.query>;
type Page = z.infer<typeof listProductsEndpoint.answer>;

/** The id decides between equals, so that no product stands on two pages. */
const ORDERS: Record<Query['sort'], Order> = {
  newest: [
    ['created_at', 'DESC'],
    ['id', 'DESC'],
  ],
  priceAsc: [['price', 'ASC'], 'id'],
  priceDesc: [['price', 'DESC'], 'id'],
  name: ['name', 'id'],
};

export async function listProducts(models: Models, { category, sort, page, limit }: Query): Promise<Outcome<Page>> {
  const { rows, count } = await models.products.findAndCountAll({
    where: category === undefined ? {} : { category },
    order: ORDERS[sort],
    limit,
    offset: (page - 1) * limit,
    raw: true,
  });
  const items = (rows as unknown as ProductRow[]).map(toProduct);
  return { ok: true, value: { items, page, limit, total: count } };
}
