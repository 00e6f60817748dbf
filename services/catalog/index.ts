export { startRanking } from './ranking-projection.ts';
export { catalogRoutes } from './routes.ts';
export { lockStock, readShelf, type Shelf, takeFromStock } from './stock.ts';
