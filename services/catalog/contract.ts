import { z } from 'zod';
import { endpoint, id, pageLimit, pageNumber, wonAmount } from '../core/http/endpoint.ts';

export const product = z.strictObject({ productId: id, name: z.string(), category: z.string(), price: wonAmount });
export type Product = z.infer<typeof product>;

const productParams = z.strictObject({ productId: id });

export const listProductsEndpoint = endpoint({
  operation: 'listProducts',
  method: 'get',
  path: '/api/products',
  summary: 'Products by page',
  query: z.strictObject({
    category: z.string().min(1).max(64).optional(),
    sort: z.enum(['newest', 'priceAsc', 'priceDesc', 'name']).default('newest'),
    page: pageNumber,
    limit: pageLimit,
  }),
  answer: z.strictObject({ items: z.array(product), page: z.int(), limit: z.int(), total: z.int() }),
});

export const popularProductsEndpoint = endpoint({
  operation: 'popularProducts',
  method: 'get',
  path: '/api/products/popular',
  summary: 'Products by quantity sold in the last days (UTC), today included',
  query: z.strictObject({
    days: z.coerce.number().int().min(1).max(30).default(3),
    limit: z.coerce.number().int().min(1).max(100).default(5),
  }),
  answer: z.array(z.strictObject({ ...product.shape, sold: z.int() })),
});

export const readProductEndpoint = endpoint({
  operation: 'readProduct',
  method: 'get',
  path: '/api/products/{productId}',
  summary: 'One product',
  params: productParams,
  answer: product,
  refusals: ['P404'],
});

export const readStockEndpoint = endpoint({
  operation: 'readStock',
  method: 'get',
  path: '/api/products/{productId}/stock',
  summary: 'Quantity in stock',
  params: productParams,
  answer: z.strictObject({ productId: id, quantity: z.int() }),
  refusals: ['P404'],
});
