import type { Express } from 'express';
import type { Exemplars } from './exemplars.ts';

const OPENMETRICS = 'application/openmetrics-text';

/**
 * Serves Prometheus's text format, or OpenMetrics with exemplars to those who take it; `read` gathers the metrics, from
 * every process that shares the port. Exemplars are those of the process that answers.
 */
export function mountMetrics(
  app: Express,
  contentType: string,
  read: () => Promise<string>,
  exemplars: Exemplars,
): void {
  app.get('/metrics', (req, res) => {
    const open = req.headers.accept?.includes(OPENMETRICS) ?? false;
    read().then(
      (text) => {
        if (open) res.type(`${OPENMETRICS}; version=1.0.0; charset=utf-8`).send(exemplars.openMetrics(text));
        else res.type(contentType).send(text);
      },
      (error: unknown) =>
        res
          .status(500)
          .type('text/plain')
          .send(`metrics could not be read: ${String(error)}`),
    );
  });
}
