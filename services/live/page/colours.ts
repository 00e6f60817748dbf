/* Colours are the style sheet's, so that light and dark are chosen in one place; charts draw with what it says. */
const known = new Map<string, string>();
const dark = matchMedia('(prefers-color-scheme: dark)');

export function colour(variable: string): string {
  let value = known.get(variable);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
    known.set(variable, value);
  }
  return value;
}

/** Calls back when other colours apply. */
export function onOtherColours(redraw: () => void): void {
  dark.addEventListener('change', () => {
    known.clear();
    redraw();
  });
}
