/** The printed timeline: when, who, what. Times are milliseconds since the story began. */
import { headlineWords } from '../../src/shared/sentences.ts';
import { hopDetails, hopTitle } from '../../src/shared/hop-sentences.ts';
import type { Headline, HopView } from '../../src/shared/views.ts';

const timeColumns = 8;
const nameColumns = 6;

export class Timeline {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  readonly #startMs: number;

  constructor(write: (line: string) => void, nowMs: () => number = () => performance.now()) {
    this.#write = write;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  say(who: string, what: string): void {
    const time = `${Math.round(this.#nowMs() - this.#startMs).toLocaleString('en-GB')} ms`;
    this.#write(`${time.padStart(timeColumns + 3)}  ${who.padEnd(nameColumns)} ${what}`);
  }

  heading(text: string): void { this.#write(`\n${text}`); }
  line(text: string): void { this.#write(text); }
}

/** Names the relay where people would see its address. */
export function stateWords(headline: Headline, wallMs: number, relayAddress: string): string {
  return headlineWords(headline, wallMs).replaceAll(relayAddress, 'Relay');
}

/** One line for each hop that has happened, with milliseconds since the message was saved. */
export function hopLines(hops: readonly HopView[], wallMs: number, relayAddress: string): readonly string[] {
  const startMs = hops[0]?.atMs ?? 0;
  return hops.filter((hop) => !hop.future).map((hop) => {
    const details = hopDetails(hop, wallMs).join(', ');
    const after = `+${Math.round(hop.atMs - startMs).toLocaleString('en-GB')} ms`;
    return `${after.padStart(timeColumns + 4)}  ${hopTitle(hop)}${details === '' ? '' : ` - ${details}`}`.replaceAll(relayAddress, 'Relay');
  });
}
