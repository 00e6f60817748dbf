import type { Express } from 'express';

/** True until the process begins to stop. */
export interface Readiness {
  ready: boolean;
}

/**
 * /health/live says that the process runs, /health/ready that it wants requests. An engine that is away does not make it
 * unready: every process would go at once, and each still answers what it can.
 */
export function mountHealth(app: Express, state: Readiness): void {
  app.get('/health/live', (_req, res) => {
    res.json({ status: 'live' });
  });
  app.get('/health/ready', (_req, res) => {
    res.status(state.ready ? 200 : 503).json({ status: state.ready ? 'ready' : 'stopping' });
  });
}
