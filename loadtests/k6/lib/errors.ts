/** Why a request had no definite answer. */
export const ERROR_CLASSES = ['timeout', 'connection', 'http_503', 'http_5xx'] as const;
export type ErrorClass = (typeof ERROR_CLASSES)[number];
