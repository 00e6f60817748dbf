import { labels } from '../../engines/engines.ts';
import { API_NAMES } from '../k6/lib/slo.ts';
import { beginning, ending, type Fault } from './fault.ts';
import { isDefinite } from './replay.ts';
import type { Sample } from './samples.ts';
import type { Request } from './traffic.ts';

/** What a person sees of a run: a line a second, and one for each thing that happens. */
export interface Timeline {
  fault(fault: Fault, what: 'begins' | 'ends'): void;
  second(sample: Sample, requests: Request[]): void;
}

export function openTimeline(out: (line: string) => void): Timeline {
  let last = 0;
  let gateWasOpen = true;
  return {
    fault(fault, what) {
      const told = what === 'begins' ? beginning(fault) : ending(fault);
      out(`       ${what === 'begins' ? '▼' : '▲'} ${labels[fault.engine]}: ${told}`);
    },
    second(sample, requests) {
      if (sample.gateOpen === false && gateWasOpen) out('       ● the coupon gate is closed until it is rebuilt');
      if (sample.gateOpen === true && !gateWasOpen) out('       ○ the coupon gate is rebuilt and open');
      gateWasOpen = sample.gateOpen ?? gateWasOpen;
      const apis = API_NAMES.map((api) => rates(api, requests, last, sample.at));
      last = sample.at;
      out(
        `${(sample.at / 1_000).toFixed(0).padStart(4)} s  ${apis.join('  ')}  gate ${gate(sample)}  waiting: ${shown(sample.promises)} promises, ${shown(sample.events)} events`,
      );
    },
  };
}

/** Answers between two moments: a second, and how many of them were neither a success nor a refusal by a rule. */
function rates(api: string, requests: Request[], from: number, to: number): string {
  const answered = requests.filter(
    (request) =>
      request.api === api && request.answeredAt !== undefined && request.answeredAt > from && request.answeredAt <= to,
  );
  const failed = answered.filter(({ reply }) => !isDefinite(reply)).length;
  const each = (count: number) => Math.round(count / ((to - from) / 1_000));
  return `${api} ${String(each(answered.length - failed)).padStart(4)}/s ${failed > 0 ? `✗${String(each(failed)).padEnd(3)}` : '    '}`;
}

const gate = ({ gateOpen }: Sample): string => (gateOpen === undefined ? '?     ' : gateOpen ? 'open  ' : 'closed');
const shown = (count: number | undefined): string => (count === undefined ? '?' : String(count));
