export type { OrderPlaced } from './order-placed.ts';
export { OrderLock } from './order-lock.ts';
export { orderRoutes } from './routes.ts';
