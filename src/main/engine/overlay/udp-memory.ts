/**
 * Whether the networks that we were in let UDP pass. Remembered for as long as the process runs and not on disk: what a network is known by tells where somebody has been, and what is saved
 * by knowing is a third of a second. Which network this is, the host says; without that, all are one.
 */
import type { DetourKnowledge } from '../session/types.ts';

/** Where nothing is known. A round trip to the other side of the world takes less, and whoever waits for TCP hardly notices it. */
const unknownHeadStartMs = 300;
/** Where UDP passes: so long that a few lost packets lead nobody to TCP. The same as the doubt of a session that stands. */
const passingHeadStartMs = 2_000;
/** The longest unused are forgotten first. */
const networksMaximum = 32;

export class UdpMemory implements DetourKnowledge {
  readonly #changed: () => void;
  /** Least recently met first. */
  readonly #networks = new Map<string, 'passes' | 'blocked' | undefined>();
  #current = '';

  /** @param changed what is known of the present network is another thing than before */
  constructor(changed: () => void, network = '') {
    this.#changed = changed;
    this.enter(network);
  }

  get size(): number { return this.#networks.size; }
  get isBlocked(): boolean { return this.#networks.get(this.#current) === 'blocked'; }

  /** We are in that network now. */
  enter(network: string): void {
    const known = this.#networks.get(network);
    this.#networks.delete(network);
    this.#networks.set(network, known);
    this.#current = network;
    const oldest = this.#networks.size > networksMaximum ? this.#networks.keys().next() : undefined;
    if (oldest?.done === false) this.#networks.delete(oldest.value);
  }

  headStartMs(): number {
    switch (this.#networks.get(this.#current)) {
      case 'blocked': return 0;
      case 'passes': return passingHeadStartMs;
      case undefined: return unknownHeadStartMs;
    }
  }

  passed(): void { this.#set('passes'); }
  didNotPass(): void { this.#set('blocked'); }

  #set(known: 'passes' | 'blocked'): void {
    const before = this.#networks.get(this.#current);
    this.#networks.set(this.#current, known);
    if (before !== known) this.#changed();
  }
}
