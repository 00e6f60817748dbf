import { couponSale } from './coupon-sale.ts';
import { enginesAndPods } from './engines-and-pods.ts';
import { loadTest } from './load-test.ts';
import { lockWait } from './lock-wait.ts';
import { messaging } from './messaging.ts';
import { ordersAndWallets } from './orders-and-wallets.ts';
import { overview } from './overview.ts';
import type { DashboardSpec } from './spec.ts';

export const DASHBOARDS: readonly DashboardSpec[] = [
  overview,
  lockWait,
  couponSale,
  ordersAndWallets,
  messaging,
  enginesAndPods,
  loadTest,
];
