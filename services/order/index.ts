export { OrderLock } from './order-lock.ts';
export type { OrderPlaced } from './order-placed.ts';
export { orderRoutes } from './routes.ts';
