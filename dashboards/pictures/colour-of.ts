import type { GrafanaPanel } from '../monitor/grafana.ts';

/** The colour of a series: by its query, by its name, else a shade of the panel's own. */
export function colourOf(panel: GrafanaPanel, refId: string, name: string, index: number, of: number): string {
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const meant =
      (matcher.id === 'byFrameRefID' && matcher.options === refId) ||
      (matcher.id === 'byName' && matcher.options === name);
    const fixed = properties.find(({ id }) => id === 'color');
    if (meant && fixed) return fixed.value.fixedColor;
  }
  // Darker ones are hard to see on the dark page.
  const lightness = of <= 1 ? 55 : 42 + (40 * index) / (of - 1);
  return `hsl(204 80% ${lightness.toFixed(0)}%)`;
}

/** The threshold that a value has reached. */
export function thresholdColour(panel: GrafanaPanel, value: number): string {
  const steps = panel.fieldConfig.defaults.thresholds?.steps ?? [];
  return steps.filter((step) => step.value === null || value >= step.value).at(-1)?.color ?? '#8E8E8E';
}
