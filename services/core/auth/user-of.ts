import type { z } from 'zod';
import type { Endpoint } from '../http/endpoint.ts';

/** Where a call says whose it is. */
export type UserAt = 'params' | 'query' | 'body' | 'answer';

/**
 * The parts of a call that name the user it acts for, read off its schemas, so that no endpoint can forget to say so. Where
 * the question names nobody and the answer does (an order by its id), the answer decides.
 */
export function userAt({
  params,
  query,
  body,
  answer,
}: Pick<Endpoint, 'params' | 'query' | 'body' | 'answer'>): UserAt[] {
  const asked = Object.entries({ params, query, body })
    .filter(([, schema]) => namesUser(schema))
    .map(([part]) => part as UserAt);
  if (asked.length > 0) return asked;
  return namesUser(answer) ? ['answer'] : [];
}

const namesUser = (schema: z.ZodType | undefined): boolean =>
  schema !== undefined && 'shape' in schema && 'userId' in (schema.shape as object);
