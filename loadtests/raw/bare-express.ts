import type { AddressInfo } from 'node:net';
import express from 'express';
import type { ChargeResponse } from '../../services/balance/contract.ts';
import { runAsProgram } from '../../services/core/program.ts';
import type { IssueResponse } from '../../services/coupon/contract.ts';
import type { OrderResponse } from '../../services/order/contract.ts';

/**
 * What Express answers to the same POSTs in its default setup, doing nothing: what the APIs' CPU and rate are compared with.
 * Prints its port. node run.mjs loadtests/raw/bare-express.ts
 */
runAsProgram('loadtests/raw/bare-express.ts', async () => {
  const app = express();
  app.use(express.json());
  app.post('/api/coupons/:couponId/issue', (req, res) => {
    const { couponId } = req.params;
    const { userId } = req.body;
    res.status(202).json({ queued: true, message: 'queued', queueSize: 1, couponId, userId } satisfies IssueResponse);
  });
  app.post('/api/users/:userId/balance/charge', (req, res) => {
    const { userId } = req.params;
    const { amount } = req.body;
    res.json({
      userId,
      previousBalance: 1_000_000,
      chargedAmount: amount,
      currentBalance: 1_000_000 + amount,
      chargedAt: new Date().toISOString(),
    } satisfies ChargeResponse);
  });
  app.post('/api/orders', (_req, res) => {
    res.status(201).json({
      orderId: 'order-01a205f9feeab381427c4061d566a557',
      items: ['1', '2', '3'].map((n) => ({
        productId: `test-product-${n}`,
        productName: `Product ${n}`,
        price: 10_000,
        quantity: 1,
        subtotal: 10_000,
      })),
      totalAmount: 30_000,
      discountAmount: 0,
      finalAmount: 30_000,
      createdAt: new Date().toISOString(),
    } satisfies OrderResponse);
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  console.log((server.address() as AddressInfo).port);
  await new Promise((resolve) => server.once('close', resolve));
});
