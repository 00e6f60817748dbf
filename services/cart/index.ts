export { type CartLine, lockCarts, removeLines } from './lines.ts';
export { cartRoutes } from './routes.ts';
