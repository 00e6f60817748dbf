import { type Outcome, refuse } from '../core/refusals.ts';
import type { Models, ProductRow, StockRow } from '../database/models.ts';
import type { Product } from './contract.ts';

export async function readProduct(models: Models, productId: string): Promise<Outcome<Product>> {
  const row = (await models.products.findOne({ where: { id: productId }, raw: true })) as unknown as ProductRow | null;
  return row ? { ok: true, value: toProduct(row) } : refuse('P404');
}

/** Units in stock at this moment; the order itself checks again. */
export async function readStock(
  models: Models,
  productId: string,
): Promise<Outcome<{ productId: string; quantity: number }>> {
  const row = (await models.stocks.findOne({
    where: { product_id: productId },
    raw: true,
  })) as unknown as StockRow | null;
  return row ? { ok: true, value: { productId, quantity: row.quantity } } : refuse('P404');
}

/** A product as the API shows it. */
export const toProduct = ({ id, name, category, price }: ProductRow): Product => ({
  productId: id,
  name,
  category,
  price,
});
