import { z } from 'zod';
import type { RefusalCode } from '../refusals.ts';

/**
 * One row of the HTTP contract. The same object validates requests, names the route, and becomes an OpenAPI operation;
 * load scripts and tests import the types of its schemas.
 */
export interface Endpoint<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodObject | undefined = z.ZodObject | undefined,
  Answer extends z.ZodType | undefined = z.ZodType | undefined,
> {
  /** Name of the operation in OpenAPI, in metrics and in logs. */
  operation: string;
  method: 'get' | 'post' | 'patch' | 'delete';
  /** As OpenAPI writes it: /api/users/{userId}/balance */
  path: string;
  summary: string;
  params: Params;
  query: Query;
  body: Body;
  /** The call takes an Idempotency-Key header. */
  idempotent: boolean;
  status: number;
  /** A request that took longer has missed its objective and is traced. Milliseconds. */
  slowAfter: number;
  answer: Answer;
  /** Only for tokens with the scope of administration, and on the port of administration where there is one. */
  admin: boolean;
  /** The refusals of its own; bad input, overload and the unexpected are every endpoint's. */
  refusals: readonly RefusalCode[];
}

/** The path as Express writes it, and the metrics' label: /api/users/:userId/balance */
export const routeOf = ({ path }: Pick<Endpoint, 'path'>): string => path.replace(/\{(\w+)\}/g, ':$1');

/** A route's name where methods differ: `POST /api/orders`. */
export const methodAndRoute = (endpoint: Pick<Endpoint, 'method' | 'path'>): string =>
  `${endpoint.method.toUpperCase()} ${routeOf(endpoint)}`;

export const none = z.strictObject({});

export function endpoint<
  Params extends z.ZodObject = typeof none,
  Query extends z.ZodObject = typeof none,
  Body extends z.ZodObject | undefined = undefined,
  Answer extends z.ZodType | undefined = undefined,
>(
  given: Pick<Endpoint, 'operation' | 'method' | 'path' | 'summary'> & {
    params?: Params;
    query?: Query;
    body?: Body;
    idempotent?: boolean;
    status?: number;
    slowAfter?: number;
    answer?: Answer;
    admin?: boolean;
    refusals?: readonly RefusalCode[];
  },
): Endpoint<Params, Query, Body, Answer> {
  return {
    ...given,
    params: given.params ?? (none as unknown as Params),
    query: given.query ?? (none as unknown as Query),
    body: given.body as Body,
    answer: given.answer as Answer,
    idempotent: given.idempotent ?? false,
    status: given.status ?? 200,
    slowAfter: given.slowAfter ?? 500,
    admin: given.admin ?? false,
    refusals: given.refusals ?? [],
  };
}

/** Ids are ASCII, so that they compare byte by byte in every engine. */
export const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9._:-]+$/, 'only letters, digits and . _ : - are allowed');

/** ISO 8601 in UTC with milliseconds. */
export const time = z.iso.datetime();

/** Whole won. */
export const wonAmount = z.int().min(0);

export const pageLimit = z.coerce.number().int().min(1).max(100).default(20);
export const pageNumber = z.coerce.number().int().min(1).max(100_000).default(1);

/**
 * 1 to 64 printable ASCII characters, the first and last no space: HTTP cuts such spaces off a header, and MySQL takes
 * 'k ' and 'k' for equal.
 */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/;
