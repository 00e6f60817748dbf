export { balanceRoutes } from './routes.ts';
export { lockWallets, type Wallet, writeBalances } from './wallets.ts';
