/**
 * Puts circuits into an engine: those that end here (overlay/peer-links.ts) and those that a relay carries for others (exchange.ts). One engine may have both: a session's numbers are one's or the
 * other's, and a frame goes to whom its number belongs.
 */
import { CircuitExchange, type ExchangeEnvironment } from './exchange.ts';
import { circuitOf } from './tunnel.ts';
import type { Directed } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, SocketAddress } from '../wire/types.ts';

const nothing = new Uint8Array(0);

/** Circuits that end here. */
export interface OwnCircuits {
  tunnelled(sessionId: SessionId, circuit: number, frame: Uint8Array): { readonly from: SocketAddress; readonly datagram: Uint8Array } | undefined;
  hungUp(sessionId: SessionId, circuit: number, now: Instant): boolean;
}

export class CircuitRole {
  readonly #own: OwnCircuits | undefined;
  readonly #exchange: CircuitExchange | undefined;
  readonly #count: (counter: string) => void;

  /** @param exchange of a relay. */
  constructor(directed: Directed, own: OwnCircuits | undefined, exchange: ExchangeEnvironment | undefined, count: (counter: string) => void) {
    this.#own = own;
    this.#exchange = exchange === undefined ? undefined : new CircuitExchange(exchange);
    this.#count = count;
    directed.handle('circuit', (sessionId, body, answer, now) => {
      if (body.verb !== 'circuit') return;
      if (this.#exchange === undefined) answer.refuse({ code: 'refused', retryAfterSeconds: 0, detail: 0 }, now);
      else this.#exchange.wanted(sessionId, body, answer, now);
    });
    directed.handle('hang-up', (sessionId, body, answer, now) => {
      if (body.verb !== 'hang-up') return;
      if (this.#own?.hungUp(sessionId, body.circuit, now) === true || this.#exchange === undefined) answer.respond(nothing, now);
      else this.#exchange.hangUp(sessionId, body, answer, now);
    });
  }

  /** Of a session inside of a session: a datagram for us, which is returned, or one that we carry for others. */
  frame(sessionId: SessionId, frame: Uint8Array, now: Instant): { readonly from: SocketAddress; readonly datagram: Uint8Array } | undefined {
    const own = this.#own?.tunnelled(sessionId, circuitOf(frame), frame);
    if (own !== undefined) return own;
    if (this.#exchange === undefined) this.#count('circuit.unknown');
    else this.#exchange.frame(sessionId, frame, now);
    return undefined;
  }

  /** The session is gone, or its other side started anew. */
  sessionClosed(sessionId: SessionId, now: Instant): void { this.#exchange?.sessionClosed(sessionId, now); }
  handleTimeout(now: Instant): void { this.#exchange?.handleTimeout(now); }
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined { return this.#exchange?.pollTimeout(); }
}
