import * as balance from './balance/contract.ts';
import * as cart from './cart/contract.ts';
import * as catalog from './catalog/contract.ts';
import type { Endpoint } from './core/http/endpoint.ts';
import { openapi } from './core/http/openapi.ts';
import { REFUSALS, type RefusalCode } from './core/refusals.ts';
import * as coupon from './coupon/contract.ts';
import * as order from './order/contract.ts';

const endpoints = [balance, cart, catalog, coupon, order]
  .flatMap((contract) => Object.values(contract) as unknown[])
  .filter((value) => typeof value === 'object' && value !== null && 'operation' in value) as Endpoint[];

describe('the OpenAPI document of the whole contract', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into a document of every shape
  const document: any = openapi(
    endpoints.map((endpoint) => ({ endpoint })),
    { title: 'Onrush', version: '1' },
  );
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const operations = endpoints.map((one): [string, Endpoint, any] => [
    one.operation,
    one,
    document.paths[one.path]?.[one.method],
  ]);

  test('has every endpoint once', () => {
    const found = Object.values(document.paths).flatMap((path) => Object.values(path as object));
    expect(found).toHaveLength(endpoints.length);
    expect(new Set(found.map(({ operationId }) => operationId)).size).toBe(endpoints.length);
  });

  test.each(operations)('%s declares exactly the parameters of its path', (_name, { path }, operation) => {
    const declared = operation.parameters.filter((one: { in: string }) => one.in === 'path');
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(declared.map((one: { name: string }) => one.name).sort()).toEqual(inPath.sort());
    expect(declared.every((one: { required: boolean }) => one.required)).toBe(true);
  });

  test.each(operations)('%s names its refusals under their status', (_name, { refusals }, operation) => {
    const general: RefusalCode[] = ['COMMON400', 'COMMON500', 'COMMON503'];
    for (const code of [...refusals, ...general]) {
      const response = operation.responses[REFUSALS[code].status];
      expect(response.description).toContain(`${code}: ${REFUSALS[code].message}`);
      expect(response.content['application/json'].schema.allOf[1].properties.code.enum).toContain(code);
    }
    expect(operation.responses[503].headers).toHaveProperty('Retry-After');
  });

  test.each(operations)(
    '%s offers Idempotency-Key where the key is heeded, and only there',
    (_name, one, operation) => {
      const header = operation.parameters.some(
        (parameter: { in: string; name: string }) => parameter.in === 'header' && parameter.name === 'Idempotency-Key',
      );
      expect(header).toBe(one.idempotent);
      expect('headers' in operation.responses[one.status]).toBe(one.idempotent);
    },
  );

  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(([, pointer]) => pointer);
    expect(references.length).toBeGreaterThan(0);
    for (const pointer of new Set(references)) {
      const names = pointer?.slice(1).split('/') ?? [];
      expect(names.reduce((at, name) => at?.[name], document)).toBeDefined();
    }
  });
});
