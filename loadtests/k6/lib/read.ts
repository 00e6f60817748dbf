import http, { type RefinedResponse } from 'k6/http';
import { BASE_URL } from './environment.ts';

/** Reads are counted as one group; each of their answers is judged by its status only, unless a caller parses it. */
const params = { tags: { name: 'read' }, responseType: 'text' as const, timeout: '10s' };

export const read = (path: string): RefinedResponse<'text'> => http.get(BASE_URL + path, params);
