import express, { type Request, type Response } from 'express';

/** A write's body is JSON of at most so many bytes. */
export const BODY_LIMIT = 16 * 1024;

/** What can be told apart of bodies that are no JSON. */
export type BodyError = { type?: string; status?: number };

const readAny = express.json({ limit: BODY_LIMIT, strict: true, reviver: exactNumbers, type: 'application/json' });
const PLAIN_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i;
/** Text in which every number is exact as it stands: neither fraction nor exponent nor more than 15 digits. */
const INEXACT = /\d(?:[.eE]|\d{15})/;

/**
 * Reads the body. What clients usually send, a plain body whose length is told, is collected and parsed here; everything else
 * (other encodings, chunked, compressed) by Express's own reader, which answers alike at twice the cost: read-json.test.ts holds
 * the two against each other.
 * @param done gets the body, undefined where there is none that is JSON, or what was wrong with it.
 */
export function readJson(
  req: Request,
  res: Response,
  done: (error: BodyError | undefined, body?: unknown) => void,
): void {
  const length = Number(req.headers['content-length']);
  const plain = length > 0 && length <= BODY_LIMIT && PLAIN_TYPE.test(req.headers['content-type'] ?? '');
  if (!plain || req.headers['content-encoding'] !== undefined || req.headers['transfer-encoding'] !== undefined) {
    readAny(req, res, (error?: unknown) => done(error as BodyError | undefined, req.body));
    return;
  }
  let text = '';
  let chunks: Buffer[] | undefined;
  req.on('data', (chunk: Buffer) => {
    // Nearly always one chunk: only where there are several can one end within a character.
    if (chunk.length === length) text = chunk.toString();
    else {
      chunks ??= [];
      chunks.push(chunk);
    }
  });
  req.on('end', () => {
    if (chunks) text = Buffer.concat(chunks).toString();
    if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    let body: unknown;
    try {
      body = INEXACT.test(text) ? JSON.parse(text, exactNumbers) : JSON.parse(text);
    } catch {
      done({ status: 400, type: 'entity.parse.failed' });
      return;
    }
    if (typeof body === 'object' && body !== null) done(undefined, body);
    else done({ status: 400, type: 'entity.parse.failed' });
  });
}

/**
 * JSON.parse rounds 0.1 + 10^-20 and 2^53 + 1 silently; such a number becomes NaN here, which no schema accepts.
 * Called with the number's source text (ES2025 JSON.parse source text access).
 */
function exactNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value)) return value;
  const source = context?.source;
  if (source === undefined || /^-?\d{1,15}$/.test(source)) return value;
  return Number.isSafeInteger(value) && /^-?\d+(\.0+)?$/.test(source) ? value : Number.NaN;
}
