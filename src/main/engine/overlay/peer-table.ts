/** The contacts with whom a session is wanted, or is there: by key, by session, and until when. What is done with them is in peer-links.ts. */
import { Deadlines, type Due } from '../deadlines.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import { isWanted, newPeer, type Peer } from './peer.ts';

/** Sessions with contacts at once: each costs keepalives. */
export const peersMaximum = 64;

export class PeerTable {
  readonly #peers = new Map<PublicKeyHex, Peer>();
  readonly #bySession = new Map<SessionId, Peer>();
  /** When a session is not wanted any more, by contact. */
  readonly #deadlines = new Deadlines();

  get isFull(): boolean { return this.#peers.size >= peersMaximum; }
  of(publicKey: PublicKeyHex): Peer | undefined { return this.#peers.get(publicKey); }
  ofSession(sessionId: SessionId): Peer | undefined { return this.#bySession.get(sessionId); }

  /** Who may leave while they are gone through. */
  all(): readonly Peer[] { return [...this.#peers.values()]; }
  withSession(): Iterable<readonly [SessionId, Peer]> { return this.#bySession; }

  /** The caller sees to it that there is room. */
  add(publicKey: PublicKeyHex): Peer {
    const peer = newPeer(publicKey);
    this.#peers.set(publicKey, peer);
    return peer;
  }

  /** Until then at least. */
  want(peer: Peer, untilMs: number): void {
    peer.wantedUntilMs = Math.max(peer.wantedUntilMs, untilMs);
    this.#deadlines.set(peer.publicKey, peer.wantedUntilMs);
  }

  /** The session may still be on its way; one peer can have two for a moment. */
  join(peer: Peer, sessionId: SessionId): void { this.#bySession.set(sessionId, peer); }
  part(sessionId: SessionId): void { this.#bySession.delete(sessionId); }

  forget({ publicKey }: Peer): void {
    this.#peers.delete(publicKey);
    this.#deadlines.clear(publicKey);
  }

  /** Whoever was wanted longest ago; undefined: all are wanted for as long as `untilMs`. */
  idlest(untilMs: number): Peer | undefined {
    const idlest = this.all().reduce<Peer | undefined>((first, peer) => (first === undefined || peer.wantedUntilMs < first.wantedUntilMs ? peer : first), undefined);
    return idlest === undefined || idlest.wantedUntilMs >= untilMs ? undefined : idlest;
  }

  /** Those who are not wanted any more. */
  takeIdle(now: Instant): readonly Peer[] {
    const idle: Peer[] = [];
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const peer = this.#peers.get(key);
      if (peer !== undefined && !isWanted(peer, now)) idle.push(peer);
    }
    return idle;
  }

  nextIdle(): Due | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: 'peer idle' };
  }
}
