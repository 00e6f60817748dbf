import type { Health, State } from '../sample.ts';
import { byId, element, say } from './element.ts';

const WORDS: Record<State, string> = {
  idle: 'Idle',
  healthy: 'Healthy',
  attention: 'Needs attention',
  bad: 'Not healthy',
};

/** A check, an exclamation, a cross, a pause: what the word says, for those who read shapes faster. */
const SIGNS: Record<State, string> = {
  idle: 'M9 8v8M15 8v8',
  healthy: 'M6.5 12.5l3.5 3.5 7.5-8',
  attention: 'M12 6v7M12 17v.1',
  bad: 'M8 8l8 8M16 8l-8 8',
};

/** The first thing to be seen: whether it is well, why not, and what time is spent on. */
export function showHealth({ state, reasons, heldBy }: Health): void {
  const section = byId('health');
  if (section.dataset.state !== state) {
    section.dataset.state = state;
    section.querySelector('path')?.setAttribute('d', SIGNS[state]);
    // The only text that is announced, and only when it is another one.
    say(byId('health-word'), WORDS[state]);
  }
  const list = byId('reasons');
  const shown = reasons.slice(0, 4);
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  for (const [n, reason] of shown.entries()) {
    const item = list.children[n] ?? list.appendChild(element('li'));
    say(item as HTMLElement, reason);
  }
  const nothing = state === 'idle' ? 'No requests to the three APIs.' : 'Little time is spent waiting.';
  say(byId('held-by'), heldBy ? `${heldBy[0]?.toUpperCase()}${heldBy.slice(1)}.` : nothing);
}
