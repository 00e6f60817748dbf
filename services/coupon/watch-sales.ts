import type { Logger } from 'pino';
import { Op } from 'sequelize';
import { pause, type Running, runLoop } from '../core/lifecycle.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Models } from '../database/models.ts';

/** Milliseconds. */
const INTERVAL = 2_000;

/** How many coupons of the sales that run now are issued and how many remain. One process of all does this. */
export function watchSales(models: Models, metrics: Pick<Metrics, 'couponQuantity'>, logger: Logger): Running {
  const loop = runLoop('sales-watch', logger, async (signal) => {
    const now = new Date();
    const running = { where: { valid_from: { [Op.lte]: now }, valid_until: { [Op.gt]: now } } };
    const issued = Number((await models.coupons.sum('issued_quantity', running)) ?? 0);
    const total = Number((await models.coupons.sum('total_quantity', running)) ?? 0);
    metrics.couponQuantity.set({ state: 'issued' }, issued);
    metrics.couponQuantity.set({ state: 'remaining' }, Math.max(0, total - issued));
    await pause(INTERVAL, signal);
  });
  return {
    name: loop.name,
    async stop() {
      await loop.stop();
      metrics.couponQuantity.reset();
    },
  };
}
