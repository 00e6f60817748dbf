import { stack } from '../../loadtests/test/stack.ts';

const { api, value } = stack();
const charge = (transactionId: string) =>
  api('POST', '/api/users/test-user-160/balance/charge', { body: { amount: 3, transactionId } });

/*
 * MySQL takes 'k' and 'k ' for equal (PAD SPACE), JavaScript does not: between the two a key with a space at its end
 * would be new to one and a duplicate to the other.
 */
describe('a key', () => {
  it('with a space at either end is refused, never an error, and charges nothing', async () => {
    expect((await charge('k')).status).toBe(200);
    for (const key of ['k ', ' k', ' ', '   '])
      expect(await charge(key)).toMatchObject({
        status: 400,
        body: { code: 'COMMON400', details: { field: 'transactionId' } },
      });
    expect(await value("SELECT balance FROM users WHERE id = 'test-user-160'")).toBe(1_000_003);
  });

  it('may have spaces and other printable characters within, and 64 of them', async () => {
    for (const key of ['a b', '{"a": 1}', 'x'.repeat(64), '~']) {
      expect((await charge(key)).status).toBe(200);
      expect((await charge(key)).headers.get('idempotency-replayed')).toBe('true');
    }
  });
});
