import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { mountDocs } from './docs.ts';
import { openapi } from './openapi.ts';

const document = openapi([], { title: 'Onrush', version: '1' });

describe('docs', () => {
  let server: Server;
  const get = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);

  beforeAll(async () => {
    const app = express();
    mountDocs(app, document);
    app.get('/other', (_req, res) => {
      res.send('other');
    });
    await new Promise<void>((resolve) => {
      server = app.listen(0, '127.0.0.1', () => resolve());
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('serves the document', async () => {
    const answer = await get('/openapi.json');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.json()).toEqual(document);
  });

  test('the page and all it refers to come from this origin', async () => {
    const page = await get('/docs');
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none';script-src 'self';");
    const text = await page.text();
    expect(text).not.toMatch(/<script>|<style/);
    const references = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(references).toHaveLength(4);
    for (const url of references) {
      expect(url).toMatch(/^\/docs\//);
      expect((await get(url)).status).toBe(200);
    }
  });

  test('its policy is not put on anything else', async () => {
    const other = await get('/other');
    expect(other.status).toBe(200);
    expect(other.headers.has('content-security-policy')).toBe(false);
  });

  test('serves nothing else of the package', async () => {
    for (const path of ['/docs/package.json', '/docs/..%2Fpackage.json', '/docs/index.html'])
      expect((await get(path)).status).toBe(404);
  });
});
