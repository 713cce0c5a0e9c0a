/** A direct path may die at any moment: then there should be a circuit. One that has ended is replaced, by another relay if there is one; the side that dialled sees to it. */
import { Deadlines } from '../deadlines.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import type { PeerCircuits } from './peer-circuits.ts';
import type { Peer } from './peer.ts';

const afterMs = 2_000;
/** Also after one was opened: whether the other side came by it as well is looked at then. */
const againMs = 60_000;

export class PeerReserve {
  readonly #context: VisorContext;
  readonly #circuits: PeerCircuits;
  readonly #wanted = new Map<PublicKeyHex, Peer>();
  readonly #deadlines = new Deadlines();

  constructor(context: VisorContext, circuits: PeerCircuits) {
    this.#context = context;
    this.#circuits = circuits;
  }

  want(peer: Peer, now: Instant): void {
    const isOurs = peer.sessionId !== undefined && this.#context.sessions.view(peer.sessionId)?.initiator === true;
    if (isOurs && peer.state === 'here') this.#at(peer, now.monotonicMs + afterMs);
  }

  forget(publicKey: PublicKeyHex): void {
    this.#wanted.delete(publicKey);
    this.#deadlines.clear(publicKey);
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const peer = this.#wanted.get(key);
      this.#wanted.delete(key);
      if (peer !== undefined) this.#open(peer, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'circuit in reserve' };
  }

  #at(peer: Peer, atMs: number): void {
    this.#wanted.set(peer.publicKey, peer);
    this.#deadlines.set(peer.publicKey, atMs);
  }

  #open(peer: Peer, now: Instant): void {
    const { sessionId } = peer;
    if (peer.state !== 'here' || sessionId === undefined || this.#hasCircuit(sessionId, now)) return;
    this.#circuits.ask(peer.publicKey, now, (found, _deviceKey, at) => {
      const isHere = peer.sessionId === sessionId;
      if (typeof found !== 'string') {
        if (!isHere || this.#hasCircuit(sessionId, at)) { this.#circuits.hangUp(found, at); return; }
        this.#context.sessions.probe(sessionId, this.#circuits.open(found, peer.publicKey).address, at);
      }
      if (isHere && found !== 'unprepared') this.#at(peer, at.monotonicMs + againMs);
    });
  }

  #hasCircuit(sessionId: SessionId, now: Instant): boolean {
    return this.#context.sessions.paths(sessionId, now).some(({ address }) => isCircuitAddress(address));
  }
}
