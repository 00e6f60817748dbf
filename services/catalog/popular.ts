import type { Redis } from 'ioredis';
import type { z } from 'zod';
import type { Names } from '../core/names.ts';
import type { Outcome } from '../core/refusals.ts';
import { Unavailable } from '../core/unavailable.ts';
import type { Models, ProductRow } from '../database/models.ts';
import type { popularProductsEndpoint } from './contract.ts';
import { toProduct } from './read.ts';

export interface Ranking {
  models: Models;
  redis: Redis;
  names: Names;
}

type Query = z.infer<typeof popularProductsEndpoint.query>;
type Popular = z.infer<typeof popularProductsEndpoint.answer>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Products by quantity sold in the last `days` UTC days, the day of `now` included. A product that was deleted since
 * gives its place to the next.
 * @throws Unavailable COMMON503 if Redis is away.
 */
export async function popularProducts(
  { models, redis, names }: Ranking,
  { days, limit }: Query,
  now: number,
): Promise<Outcome<Popular>> {
  const keys = Array.from({ length: days }, (_, back) => names.rankingDay(utcDay(now - back * DAY_MS)));
  const ranked = await soldSince(redis, keys);
  const items: Popular = [];
  for (let from = 0; items.length < limit && from < ranked.length; from += limit) {
    const candidates = ranked.slice(from, from + limit);
    const products = await readProducts(
      models,
      candidates.map(({ productId }) => productId),
    );
    for (const { productId, sold } of candidates) {
      const product = products.get(productId);
      if (product && items.length < limit) items.push({ ...toProduct(product), sold });
    }
  }
  return { ok: true, value: items };
}

const utcDay = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Most sold first; equals by product id, byte by byte: in that order Redis gives them, and the sort leaves them. */
async function soldSince(redis: Redis, keys: string[]): Promise<{ productId: string; sold: number }[]> {
  const flat = await redis.zunion(keys.length, ...keys, 'WITHSCORES').catch((error: Error) => {
    if (error.name === 'ReplyError') throw error;
    throw new Unavailable('COMMON503', 'the ranking is out of reach', { cause: error });
  });
  const ranked: { productId: string; sold: number }[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    ranked.push({ productId: String(flat[i]), sold: Number(flat[i + 1]) });
  }
  return ranked.sort((a, b) => b.sold - a.sold);
}

async function readProducts(models: Models, ids: string[]): Promise<Map<string, ProductRow>> {
  const rows = (await models.products.findAll({ where: { id: ids }, raw: true })) as unknown as ProductRow[];
  return new Map(rows.map((row) => [row.id, row]));
}
