import { z } from 'zod';
import { type Endpoint, endpoint } from './endpoint.ts';
import { openapi } from './openapi.ts';

const info = { title: 'Onrush', version: '1' };
// biome-ignore lint/suspicious/noExplicitAny: the tests look into a document of every shape
const documentOf = (...given: Endpoint[]): any =>
  openapi(
    given.map((one) => ({ endpoint: one })),
    info,
  );

describe('openapi of an endpoint', () => {
  const change = endpoint({
    operation: 'change',
    method: 'patch',
    path: '/api/things/{thingId}',
    summary: 'Change a thing',
    params: z.strictObject({ thingId: z.string() }),
    query: z.strictObject({ size: z.coerce.number().int().max(9).default(3), owner: z.string() }),
    body: z.strictObject({ quantity: z.int().default(1), userId: z.string() }),
    answer: z.strictObject({ quantity: z.int().default(1), at: z.iso.datetime() }),
  });
  const { patch } = documentOf(change as unknown as Endpoint).paths['/api/things/{thingId}'];

  test('shows the input side of requests: what has a default may be left out', () => {
    const query = patch.parameters.filter((parameter: { in: string }) => parameter.in === 'query');
    expect(query).toEqual([
      { name: 'size', in: 'query', required: false, schema: expect.objectContaining({ type: 'integer', default: 3 }) },
      { name: 'owner', in: 'query', required: true, schema: { type: 'string' } },
    ]);
    expect(patch.requestBody.content['application/json'].schema).toMatchObject({
      required: ['userId'],
      additionalProperties: false,
    });
  });

  test('shows the output side of answers: what has a default is there', () => {
    const { schema } = patch.responses[200].content['application/json'];
    expect(schema.required).toEqual(['quantity', 'at']);
    expect(schema.properties.at).toEqual({ type: 'string', format: 'date-time' });
  });

  test('gives ids of the seeded data as examples', () => {
    const { properties } = patch.requestBody.content['application/json'].schema;
    expect(properties.userId.examples).toEqual(['test-user-1']);
  });

  test('lists what a body can be refused for', () => {
    expect(Object.keys(patch.responses)).toEqual(['200', '400', '401', '403', '413', '415', '429', '500', '503']);
    expect(patch.responses[503].description).toMatch(/COMMON503.*COMMON504/s);
  });

  test('says that a token is needed, what it must hold, and by which headers it is refused', () => {
    const create = endpoint({ operation: 'create', method: 'post', path: '/y', summary: 'Create', admin: true });
    const asking = openapi(
      [{ endpoint: change as unknown as Endpoint }, { endpoint: create as unknown as Endpoint }],
      info,
      's:admin',
    );
    expect(asking.security).toEqual([{ bearer: [] }]);
    expect(asking.components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
    // biome-ignore lint/suspicious/noExplicitAny: see above
    const { post } = asking.paths['/y'] as any;
    expect(post.security).toEqual([{ bearer: ['s:admin'] }]);
    expect(post.responses[403].description).toContain('A403');
    expect(Object.keys(post.responses[401].headers)).toEqual(['WWW-Authenticate']);
    expect(Object.keys(post.responses[429].headers)).toEqual(['Retry-After']);
    expect(documentOf(change as unknown as Endpoint)).toMatchObject({ security: [] });
  });

  test('has no content where nothing is answered, and no 504 where nothing is written', () => {
    const read = endpoint({ operation: 'read', method: 'get', path: '/x', summary: 'Read', status: 204 });
    const { get } = documentOf(read as unknown as Endpoint).paths['/x'];
    expect(get.responses[204]).toEqual({ description: 'Done; nothing is returned' });
    expect(get.responses[503].description).not.toContain('COMMON504');
    expect(get).not.toHaveProperty('requestBody');
  });
});
