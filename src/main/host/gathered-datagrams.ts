/**
 * Datagrams that an engine works on when it is drained next, together with all that the same look at the socket brings: their memory is used until then, and freed
 * at once after it.
 */
import { freeDatagram } from './udp.ts';

export class GatheredDatagrams {
  readonly #datagrams: Uint8Array[] = [];
  readonly #endTurn: () => void;
  #isTurnEnding = false;

  /** @param endTurn drains the engine. What libuv has read from the socket in one go has been handed over by then (at most 32 datagrams); nothing else comes in between. */
  constructor(endTurn: () => void) { this.#endTurn = endTurn; }

  add(datagram: Uint8Array): void {
    this.#datagrams.push(datagram);
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    setImmediate(() => {
      this.#isTurnEnding = false;
      this.#endTurn();
    });
  }

  /** The engine has been drained. */
  free(): void {
    for (const datagram of this.#datagrams) freeDatagram(datagram);
    this.#datagrams.length = 0;
  }
}
