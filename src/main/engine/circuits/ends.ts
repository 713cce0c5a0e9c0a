/** The circuits that end here: which numbers of which sessions may bring datagrams, and for whom. Everything else that comes in a tunnel is nobody's. */
import { circuitAddress } from './tunnel.ts';
import type { SessionId } from '../session/types.ts';
import type { PublicKeyHex, SocketAddress } from '../wire/types.ts';

export interface CircuitEnd {
  /** The session with the relay. */
  readonly sessionId: SessionId;
  readonly circuit: number;
  readonly address: SocketAddress;
  /** Who is, or says to be, at the other end. */
  readonly peer: PublicKeyHex;
  /** Who carries it. */
  readonly relay: PublicKeyHex;
}

export class CircuitEnds {
  readonly #ends = new Map<string, CircuitEnd>();

  get size(): number { return this.#ends.size; }

  open(sessionId: SessionId, circuit: number, peer: PublicKeyHex, relay: PublicKeyHex): CircuitEnd {
    const address = circuitAddress(sessionId, circuit);
    const end: CircuitEnd = { sessionId, circuit, address, peer, relay };
    this.#ends.set(address.host, end);
    return end;
  }

  at(address: SocketAddress): CircuitEnd | undefined { return this.#ends.get(address.host); }
  find(sessionId: SessionId, circuit: number): CircuitEnd | undefined { return this.at(circuitAddress(sessionId, circuit)); }
  close(end: CircuitEnd): void { this.#ends.delete(end.address.host); }

  *over(sessionId: SessionId): Iterable<CircuitEnd> {
    for (const end of this.#ends.values()) if (end.sessionId === sessionId) yield end;
  }

  *with(peer: PublicKeyHex): Iterable<CircuitEnd> {
    for (const end of this.#ends.values()) if (end.peer === peer) yield end;
  }
}
