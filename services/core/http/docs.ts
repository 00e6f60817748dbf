import { type Express, Router } from 'express';
import helmet from 'helmet';
import absolutePath from 'swagger-ui-dist/absolute-path.js';
import type { OpenApiDocument } from './openapi.ts';

/** Files of swagger-ui-dist that the page loads. */
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Onrush API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <main id="swagger-ui"></main>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** A file of its own, because the policy below allows no inline script. Without validatorUrl null, a host of theirs is asked. */
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null, deepLinking: true });
`;

/**
 * Nothing but this origin. Swagger UI sets style attributes and has its icons as data: images. What a browser heeds
 * over TLS only is left to what terminates it: over plain HTTP it would load nothing, or complain.
 */
const secure = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
});

/** Serves the document at /openapi.json and a page to read and try it at /docs. */
export function mountDocs(app: Express, document: OpenApiDocument): void {
  const json = JSON.stringify(document);
  const router = Router();
  router.get('/openapi.json', secure, (_req, res) => {
    res.type('application/json').send(json);
  });
  router.get('/docs', secure, (_req, res) => {
    res.type('html').send(PAGE);
  });
  router.get('/docs/start.js', secure, (_req, res) => {
    res.type('text/javascript').send(START);
  });
  for (const asset of ASSETS) {
    router.get(`/docs/${asset}`, secure, (_req, res) => {
      res.sendFile(asset, { root: absolutePath(), maxAge: '1h' });
    });
  }
  app.use(router);
}
