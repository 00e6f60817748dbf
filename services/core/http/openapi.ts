import { z } from 'zod';
import { userAt } from '../auth/user-of.ts';
import { REFUSALS, type RefusalCode } from '../refusals.ts';
import { type Endpoint, IDEMPOTENCY_KEY } from './endpoint.ts';

type Json = Record<string, unknown>;

export interface OpenApiDocument {
  openapi: '3.1.0';
  info: { title: string; version: string; description?: string };
  servers: Json[];
  security: Json[];
  paths: Record<string, Json>;
  components: { schemas: Json; headers: Json; securitySchemes?: Json };
}

// biome-ignore lint/suspicious/noExplicitAny: a route list holds endpoints of every shape
type AnyEndpoint = Endpoint<any, any, any, any>;

/**
 * The HTTP contract as OpenAPI 3.1, made of the same schemas that validate requests. `adminScope`: what creating coupons needs
 * in the token; absent where tokens are not asked for.
 */
export function openapi(
  routes: readonly { endpoint: AnyEndpoint }[],
  info: OpenApiDocument['info'],
  adminScope?: string,
): OpenApiDocument {
  const paths: Record<string, Json> = {};
  for (const { endpoint } of routes) {
    const scoped = endpoint.admin && adminScope !== undefined ? { security: [{ bearer: [adminScope] }] } : {};
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: { ...operation(endpoint), ...scoped } };
  }
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: '/' }],
    security: adminScope === undefined ? [] : [{ bearer: [] }],
    paths,
    components: {
      schemas: { Refusal: REFUSAL },
      headers: HEADERS,
      ...(adminScope === undefined ? {} : { securitySchemes: { bearer: BEARER } }),
    },
  };
}

function operation(endpoint: AnyEndpoint): Json {
  return {
    operationId: endpoint.operation,
    summary: endpoint.summary,
    tags: [tagOf(endpoint)],
    parameters: [
      ...parameters(endpoint.params, 'path'),
      ...parameters(endpoint.query, 'query'),
      ...(endpoint.idempotent ? [IDEMPOTENCY_PARAMETER] : []),
    ],
    ...(endpoint.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } },
          },
        }
      : {}),
    responses: { [endpoint.status]: success(endpoint), ...refusals(endpoint) },
  };
}

/** The module's noun: /api/users/{userId}/balance is about balances, /api/coupons/{couponId}/issue about coupons. */
function tagOf({ path }: AnyEndpoint): string {
  const [, first = '', , third] = path.slice(1).split('/');
  return first === 'users' && third ? third : first;
}

/** Ids of the seeded data set, so that a reader can try the calls as they stand. */
const SEEDED: Record<string, string> = {
  userId: 'test-user-1',
  couponId: 'test-coupon-1',
  productId: 'test-product-1',
  itemId: 'test-cart-item-1-1',
};

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override({ jsonSchema }) {
      // Zod spells out what `format` and `integer` say already: 300 characters of pattern, and the bounds of a number.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (io === 'output' && jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  // Not in `override`: it sees a schema that several properties share only once.
  return JSON.parse(JSON.stringify(json), (name: string, value: { type?: unknown }) =>
    Object.hasOwn(SEEDED, name) && value.type === 'string' ? { ...value, examples: [SEEDED[name]] } : value,
  );
}

function parameters(schema: z.ZodObject, where: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

const IDEMPOTENCY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same key with the same body gives the same answer again and does nothing twice; with another body, 422. Without a key every call is new.',
  schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
};

const HEADERS = {
  'Idempotency-Replayed': {
    description: 'true on an answer that is given again because its Idempotency-Key was known',
    schema: { type: 'string', const: 'true' },
  },
  'WWW-Authenticate': {
    description: 'What was wrong with the token, as RFC 6750 has it',
    schema: { type: 'string', pattern: '^Bearer' },
  },
  'Retry-After': { description: 'Seconds to wait before the next try', schema: { type: 'integer', minimum: 0 } },
};

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'Its `sub` is the user that the call acts for.',
};

function success(endpoint: AnyEndpoint): Json {
  return {
    description: endpoint.answer ? 'Done' : 'Done; nothing is returned',
    ...(endpoint.idempotent
      ? { headers: { 'Idempotency-Replayed': { $ref: '#/components/headers/Idempotency-Replayed' } } }
      : {}),
    ...(endpoint.answer ? { content: { 'application/json': { schema: schemaOf(endpoint.answer, 'output') } } } : {}),
  };
}

const REFUSAL = {
  type: 'object',
  properties: {
    code: { type: 'string', enum: Object.keys(REFUSALS) },
    message: { type: 'string' },
    timestamp: { type: 'string', format: 'date-time' },
    traceId: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    details: {
      type: 'object',
      description: 'What exactly was wrong; on COMMON400 the field and its problem',
      properties: { field: { type: 'string' }, problem: { type: 'string' } },
    },
  },
  required: ['code', 'message', 'timestamp', 'traceId'],
};

/** Its own, and those that every endpoint can give. */
function codesOf(endpoint: AnyEndpoint): RefusalCode[] {
  const { method, body, refusals, admin } = endpoint;
  const general: RefusalCode[] = [
    'COMMON400',
    'A401',
    ...(admin ? (['A403'] as const) : []),
    ...(userAt(endpoint).length > 0 ? (['COMMON403'] as const) : []),
    'A429',
    ...(body ? (['COMMON413', 'COMMON415'] as const) : []),
    'COMMON500',
    'COMMON503',
    ...(method === 'get' ? [] : (['COMMON504'] as const)),
  ];
  return [...new Set([...refusals, ...general])];
}

function refusals(endpoint: AnyEndpoint): Json {
  const byStatus = Map.groupBy(codesOf(endpoint), (code) => REFUSALS[code].status);
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, refusal(status, codes)]));
}

/** Headers that come with a status. */
const HEADER_OF: Record<number, keyof typeof HEADERS> = {
  401: 'WWW-Authenticate',
  429: 'Retry-After',
  503: 'Retry-After',
};

const refusal = (status: number, codes: RefusalCode[]): Json => ({
  description: codes.map((code) => `${code}: ${REFUSALS[code].message}`).join('\n\n'),
  ...(HEADER_OF[status]
    ? { headers: { [HEADER_OF[status]]: { $ref: `#/components/headers/${HEADER_OF[status]}` } } }
    : {}),
  content: {
    'application/json': {
      schema: { allOf: [{ $ref: '#/components/schemas/Refusal' }, { properties: { code: { enum: codes } } }] },
      examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
    },
  },
});

const exampleOf = (code: RefusalCode) => ({
  code,
  message: REFUSALS[code].message,
  timestamp: '2026-01-01T00:00:00.000Z',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  ...(code === 'COMMON400' ? { details: { field: 'userId', problem: 'Invalid input: expected string' } } : {}),
});
