import { Document, Scalar } from 'yaml';
import { type Alert, type Recording, runbookOf } from './alert.ts';
import { ALERTS } from './alerts.ts';
import { BURN_RATES } from './burn-rates.ts';

/** Prometheus's rules file. */
export function rulesFile(): string {
  const document = new Document({
    groups: [
      { name: 'onrush-slo', interval: '30s', rules: BURN_RATES.map(recordingRule) },
      { name: 'onrush', rules: ALERTS.map(alertRule) },
    ],
  });
  document.commentBefore = ' Made from dashboards/source/ by npm run dashboards.';
  return document.toString({ lineWidth: 0 });
}

const recordingRule = ({ record, expr, labels }: Recording) => ({ record, expr: asItIs(expr.text), labels });

const alertRule = ({ name, expr, for: lasting, severity, labels, summary }: Alert) => ({
  alert: name,
  expr: asItIs(expr.text),
  for: lasting,
  labels: { severity, ...labels },
  annotations: { summary, runbook_url: runbookOf(name) },
});

/** Without escapes, so that it can be read, and the chart can put its namespace in. */
function asItIs(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = 'BLOCK_LITERAL';
  return scalar;
}
