import { z } from 'zod';
import { endpoint, IDEMPOTENCY_KEY, id, pageLimit, time, wonAmount } from '../core/http/endpoint.ts';
import { MAX_AMOUNT } from '../core/money.ts';

export const userParams = z.strictObject({ userId: id });

export const chargeRequest = z.strictObject({
  /** Whole won. */
  amount: z.int().min(1).max(MAX_AMOUNT),
  /** An alias of the Idempotency-Key header. */
  transactionId: z
    .string()
    .regex(IDEMPOTENCY_KEY, 'expected 1 to 64 printable ASCII characters, no space at either end')
    .optional(),
});
export type ChargeRequest = z.infer<typeof chargeRequest>;

export const chargeResponse = z.strictObject({
  userId: id,
  previousBalance: wonAmount,
  chargedAmount: wonAmount,
  currentBalance: wonAmount,
  chargedAt: time,
});
export type ChargeResponse = z.infer<typeof chargeResponse>;

export const balanceResponse = z.strictObject({ userId: id, balance: wonAmount });
export type BalanceResponse = z.infer<typeof balanceResponse>;

export const historyResponse = z.strictObject({
  userId: id,
  items: z.array(
    z.strictObject({
      amount: wonAmount,
      previousBalance: wonAmount,
      currentBalance: wonAmount,
      balanceVersion: z.int(),
      chargedAt: time,
    }),
  ),
  /** Pass it as `cursor` for the next page; absent on the last one. */
  nextCursor: z.string().optional(),
});
export type HistoryResponse = z.infer<typeof historyResponse>;

export const chargeEndpoint = endpoint({
  operation: 'charge',
  slowAfter: 288,
  method: 'post',
  path: '/api/users/{userId}/balance/charge',
  summary: 'Add money to a wallet',
  params: userParams,
  body: chargeRequest,
  idempotent: true,
  answer: chargeResponse,
  refusals: ['U001', 'U002', 'I422'],
});

export const balanceEndpoint = endpoint({
  operation: 'balance',
  method: 'get',
  path: '/api/users/{userId}/balance',
  summary: 'Read a wallet',
  params: userParams,
  answer: balanceResponse,
  refusals: ['U001'],
});

export const historyEndpoint = endpoint({
  operation: 'balanceHistory',
  method: 'get',
  path: '/api/users/{userId}/balance/history',
  summary: 'Charges of a wallet, newest first',
  params: userParams,
  query: z.strictObject({
    cursor: z
      .string()
      .regex(/^\d{1,15}$/, 'expected nextCursor of the page before')
      .optional(),
    limit: pageLimit,
  }),
  answer: historyResponse,
  refusals: ['U001'],
});
