/**
 * What happened, line by line: for people (`--trace`) and, as a running hash, for the proof that a seed replays exactly. Lines
 * are kept only when somebody wants to read them.
 */
import { createHash } from 'node:crypto';

/** Hashing in pieces of about this many characters is much faster than line by line. */
const pieceCharacters = 65_536;

export class Trace {
  readonly #nowMs: () => number;
  readonly #sink: ((line: string) => void) | undefined;
  readonly #hash = createHash('sha256');
  #piece = '';
  #lineCount = 0;

  constructor(nowMs: () => number, sink: ((line: string) => void) | undefined) {
    this.#nowMs = nowMs;
    this.#sink = sink;
  }

  get lineCount(): number { return this.#lineCount; }

  line(who: string, what: string): void {
    const text = `${(this.#nowMs() / 1000).toFixed(4).padStart(11)} ${who.padEnd(8)} ${what}`;
    this.#lineCount += 1;
    this.#piece += `${text}\n`;
    if (this.#piece.length >= pieceCharacters) {
      this.#hash.update(this.#piece);
      this.#piece = '';
    }
    this.#sink?.(text);
  }

  /** Ends the trace. Hex. */
  digest(): string { return this.#hash.update(this.#piece).digest('hex'); }
}
