import type { Express } from 'express';

/** Serves Prometheus's text format; `read` gathers it, from every process that shares the port. */
export function mountMetrics(app: Express, contentType: string, read: () => Promise<string>): void {
  app.get('/metrics', (_req, res) => {
    read().then(
      (text) => res.type(contentType).send(text),
      (error: unknown) =>
        res
          .status(500)
          .type('text/plain')
          .send(`metrics could not be read: ${String(error)}`),
    );
  });
}
