import { overview } from './overview.ts';
import type { DashboardSpec } from './spec.ts';

export const DASHBOARDS: readonly DashboardSpec[] = [overview];
