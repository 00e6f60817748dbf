import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

/*
 * Processes that share a port answer /metrics for all of them: whichever is asked passes the question to the primary,
 * which gathers every process's figures and adds them up.
 */
const QUESTION = 'onrush:metrics?';
const ANSWER = 'onrush:metrics!';
const PATIENCE = 5_000;

interface Message {
  type: string;
  id: number;
  text?: string;
}

/** In the primary: answers the workers' questions. */
export function answerMetricsQuestions(): void {
  const all = new AggregatorRegistry();
  // A message to a process that is gone is an error event, which would end the primary if nobody heard it.
  cluster.on('fork', (worker) => worker.on('error', () => {}));
  cluster.on('message', (worker: Worker, message: Message) => {
    if (message?.type !== QUESTION) return;
    all.clusterMetrics().then(
      (text) => worker.send({ type: ANSWER, id: message.id, text }),
      () => worker.send({ type: ANSWER, id: message.id }),
    );
  });
}

/** How a process reads the metrics of all that share its port. */
export function metricsReader(registry: Registry): () => Promise<string> {
  if (!cluster.isWorker) return () => registry.metrics();
  AggregatorRegistry.setRegistries([registry]);
  new AggregatorRegistry();
  let questions = 0;
  return () =>
    new Promise((resolve, reject) => {
      const id = ++questions;
      const timer = setTimeout(() => done(undefined), PATIENCE);
      const listen = (message: Message) => {
        if (message?.type === ANSWER && message.id === id) done(message.text);
      };
      const done = (text: string | undefined) => {
        clearTimeout(timer);
        process.off('message', listen);
        if (text === undefined) reject(new Error('the processes did not report in time'));
        else resolve(text);
      };
      process.on('message', listen);
      process.send?.({ type: QUESTION, id });
    });
}
