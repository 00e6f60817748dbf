import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { parseConfig } from '../../services/core/config.ts';
import { pause, type Running, runLoop } from '../../services/core/lifecycle.ts';
import { createLogger } from '../../services/core/log.ts';
import { BadOption } from '../../services/core/options.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { createVerifierMetrics } from './metrics.ts';
import type { VerifyOptions } from './verdict.ts';
import { verify } from './verify.ts';

export interface Watch extends Running {
  port: number;
}

export interface WatchOptions {
  judge: VerifyOptions;
  /** Seconds from the end of one look to the next. */
  every: number;
  host: string;
  port: number;
  logger: Logger;
}

/**
 * Looks at the database again and again, while it is in use, and serves what it finds as metrics. Each look is a snapshot:
 * what it sees broken is broken, whatever is being written meanwhile.
 */
export async function watchDatabase({ judge, every, host, port, logger }: WatchOptions): Promise<Watch> {
  const metrics = createVerifierMetrics();
  const server = createServer((req, res) => {
    if (req.url === '/health/live' || req.url === '/health/ready') res.end('live\n');
    else if (req.url !== '/metrics') res.writeHead(404).end();
    else
      metrics.registry.metrics().then(
        (text) => res.setHeader('content-type', metrics.registry.contentType).end(text),
        (error) => res.writeHead(500).end(String(error)),
      );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const loop = runLoop('verifier', logger, async (signal) => {
    const seen = await verify(judge);
    metrics.show(seen);
    const { verdict, reasons, seconds } = seen;
    logger[verdict === 'FAIL' ? 'error' : 'info']({ verdict, reasons, seconds }, 'verified');
    await pause(every * 1_000, signal);
  });
  const address = server.address();
  return {
    name: loop.name,
    port: typeof address === 'object' && address ? address.port : port,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await loop.stop();
    },
  };
}

runAsProgram('loadtests/verify/watch.ts', async () => {
  const { values } = parseArgs({ options: { every: { type: 'string', default: '300' } } });
  if (!/^[1-9]\d{0,4}$/.test(values.every)) throw new BadOption(`--every "${values.every}": expected seconds, from 1`);
  const config = parseConfig(process.env);
  const logger = createLogger(config);
  const { databaseUrl, redisUrl, kafkaBrokers, namespace, host, port } = config;
  const judge = { databaseUrl, redisUrl, kafkaBrokers, namespace };
  const watch = await watchDatabase({ judge, every: Number(values.every), host, port, logger });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => watch.stop().then(() => process.exit(0)));
});
