/**
 * Sessions with contacts themselves, while both are here.
 *
 * WHY. A relay makes sure that a letter arrives some day; two people who are both here should not need it: letters then arrive as fast as light goes, receipts are the
 * recipient's own word, and files come from who has them. So while there is something to do with a contact, their visor and ours keep a session of their own.
 *
 * HOW THEY MEET (peer-meeting.ts). Neither may be reachable, but each is connected to its own relays. Who wants the session asks a relay of the other's for a circuit (circuits/), showing the
 * deposit token that the other gave; the other's visor knows its tokens and takes circuits for accepted contacts alone. Through the circuit goes an ordinary handshake between
 * the two devices, and what it yields is an ordinary session, opaque to the relay. When both ask at once the session core keeps one session.
 *
 * IN ONE NETWORK they find each other without a relay (path/lan-discovery.ts): whoever was seen there is dialled there, and by a circuit only when that came to nothing.
 *
 * HOW THEY COME NEARER. The circuit is the first path of the session and its reserve; `path-upgrade.ts` finds better ones. The session is closed when nobody had anything to do
 * with the other for ten minutes, and when no path is left it is sought anew, less and less often while they are away. That somebody is not reached this way says
 * nothing about them: letters go to their relays as ever.
 */
import { earliestOf, type Due } from '../deadlines.ts';
import type { CircuitEnd } from '../circuits/ends.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import { PeerCircuits } from './peer-circuits.ts';
import { askAnew, isWanted, mayAsk, type Peer } from './peer.ts';
import { PeerTable } from './peer-table.ts';
import { PeerMeeting, type Nearby } from './peer-meeting.ts';
import { soughtPeer, viewOfPeer, type PeerView } from './peer-status.ts';
import { PathUpgrade, type OwnCandidates } from './path-upgrade.ts';
import type { GuessEnvironment, PathGuessing } from './path-guessing.ts';
import { PeerReserve } from './peer-reserve.ts';
import type { PeerEvents, PeerPath, PeerSessions } from './peer-sessions.ts';
import { isStraight } from '../../../shared/peer-views.ts';
import type { SoughtPeer } from '../inspection-types.ts';
import type { DepositTokens } from '../mail/tokens.ts';
import type { SessionId, SessionOutput, SessionView } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import { sameAddress, type Instant, type PublicKeyHex, type SocketAddress } from '../wire/types.ts';
import type { Recipients } from './recipients.ts';
import type { RelayLinks } from './relay-links.ts';

/** After the last letter either way. */
export const wantedForMs = 600_000;
/** Paths fail together, and a peer whose paths come and go must not have us ask all the time. */
const pathFailedGapMs = 10_000;
/** Somebody who was seen in the own network is worth an attempt, even if nobody has anything to say to them yet. */
const greetForMs = 30_000;

/** What not every host can do. */
export interface PeerMeans {
  readonly nearby?: Nearby | undefined;
  readonly guess?: GuessEnvironment | undefined;
}

export class PeerLinks implements PeerSessions {
  readonly #context: VisorContext;
  readonly #events: PeerEvents;
  readonly #circuits: PeerCircuits;
  readonly #reserve: PeerReserve;
  readonly #upgrade: PathUpgrade;
  #pathFailedMs = -Infinity;
  readonly #peers = new PeerTable();
  readonly #nearby: Nearby | undefined;
  readonly #meeting: PeerMeeting;

  constructor(context: VisorContext, links: RelayLinks, recipients: Recipients, tokens: DepositTokens, own: OwnCandidates, events: PeerEvents, { nearby, guess }: PeerMeans = {}) {
    this.#context = context;
    this.#nearby = nearby;
    this.#events = events;
    this.#upgrade = new PathUpgrade(context, own, guess);
    this.#circuits = new PeerCircuits(context, links, recipients, tokens, (publicKey) => this.#isAccepted(publicKey), (end, now) => { this.#meeting.opened(end, now); });
    this.#meeting = new PeerMeeting({
      context, recipients, nearby, circuits: this.#circuits, peerOf: (publicKey) => this.#peers.of(publicKey),
      dialled: (peer, sessionId) => { this.#peers.join(peer, sessionId); }, giveUp: (peer, now) => { this.#end(peer, now); },
    });
    this.#reserve = new PeerReserve(context, this.#circuits);
    context.directed.handle('candidates', (sessionId, body, answer, now) => {
      if (body.verb === 'candidates' && this.contactOf(sessionId) !== undefined) this.#upgrade.asked(sessionId, body.offer, answer, now);
      else answer.refuse({ code: 'refused', retryAfterSeconds: 0, detail: 0 }, now);
    });
    context.directed.handle('guess', (sessionId, body, answer, now) => {
      if (body.verb === 'guess' && this.contactOf(sessionId) !== undefined) this.#upgrade.guessAsked(sessionId, body.offer, answer, now);
      else answer.refuse({ code: 'refused', retryAfterSeconds: 0, detail: 0 }, now);
    });
  }

  // --- for those who write and read ------------------------------------------------------------------------------------------

  session(publicKey: PublicKeyHex): SessionId | undefined {
    const peer = this.#peers.of(publicKey);
    return peer?.state === 'here' && this.#isAccepted(publicKey) ? peer.sessionId : undefined;
  }

  contactOf(sessionId: SessionId): PublicKeyHex | undefined {
    const publicKey = this.#peers.ofSession(sessionId)?.publicKey;
    return publicKey !== undefined && this.#isAccepted(publicKey) ? publicKey : undefined;
  }

  want(publicKey: PublicKeyHex, now: Instant): void {
    if (!this.#isAccepted(publicKey)) return;
    const peer = this.#peer(publicKey, now);
    if (peer === undefined) return;
    this.#peers.want(peer, now.monotonicMs + wantedForMs);
    if (mayAsk(peer, 'something to say', now)) this.#meeting.ask(peer, now);
  }

  /** Somebody asks for them by hand: at once, and for a direct path where there is none. */
  reach(publicKey: PublicKeyHex, now: Instant): void {
    this.want(publicKey, now);
    const peer = this.#peers.of(publicKey);
    if (peer === undefined || !this.#isAccepted(publicKey)) return;
    if (mayAsk(peer, 'by hand', now)) this.#meeting.ask(peer, now);
    else if (peer.state === 'here' && peer.sessionId !== undefined) this.#upgrade.tryNow(peer.sessionId, now);
  }

  /** They were seen in the own network. @param isNew not in the last minutes */
  found(publicKey: PublicKeyHex, address: SocketAddress, isNew: boolean, now: Instant): void {
    if (!this.#isAccepted(publicKey)) return;
    const known = this.#peers.of(publicKey);
    if (known?.state === 'here' && known.sessionId !== undefined) {
      if (!this.isNear(publicKey, now)) this.#context.sessions.probe(known.sessionId, address, now);
      return;
    }
    if (!isNew && (known === undefined || !isWanted(known, now))) return;
    const peer = this.#peer(publicKey, now);
    if (peer === undefined || peer.state === 'meeting') return;
    this.#peers.want(peer, now.monotonicMs + greetForMs);
    this.#meeting.ask(peer, now);
  }

  /** Whether they are reached in the own network. */
  isNear(publicKey: PublicKeyHex, now: Instant): boolean {
    const sessionId = this.session(publicKey);
    return sessionId !== undefined && this.#context.sessions.paths(sessionId, now).some(({ address, isDoubtful }) => !isDoubtful && this.#kindOf(address, sessionId).kind === 'lan');
  }

  pathOf(publicKey: PublicKeyHex): PeerPath | undefined {
    const sessionId = this.session(publicKey);
    return sessionId === undefined ? undefined : this.#pathInUse(sessionId);
  }

  /** For the page that shows them. */
  *all(now: Instant): Iterable<PeerView> {
    for (const peer of this.#peers.all()) {
      const view = viewOfPeer(peer, this.#context, this.#upgrade, (address, sessionId) => this.#kindOf(address, sessionId), now);
      if (view !== undefined) yield view;
    }
  }

  /** To whom a session is wanted and not there. */
  *sought(now: Instant): Iterable<SoughtPeer> {
    for (const peer of this.#peers.all()) {
      const sought = this.#isAccepted(peer.publicKey) ? soughtPeer(peer, now) : undefined;
      if (sought !== undefined) yield sought;
    }
  }

  // --- circuits ---------------------------------------------------------------------------------------------------------------

  tunnelled(sessionId: SessionId, circuit: number, frame: Uint8Array): ReturnType<PeerCircuits['tunnelled']> { return this.#circuits.tunnelled(sessionId, circuit, frame); }
  transmit(to: SocketAddress, datagram: Uint8Array, now: Instant): void { this.#circuits.transmit(to, datagram, now); }

  /** The relay, or the other side through it, says that a circuit has ended. False: it is none of ours. */
  hungUp(sessionId: SessionId, circuit: number, now: Instant): boolean {
    const end = this.#circuits.find(sessionId, circuit);
    if (end !== undefined) this.#circuitEnded(end, now);
    return end !== undefined;
  }

  /** A session with a relay is gone, or the relay started anew: nothing that went through it does any more. */
  relaySessionLost(sessionId: SessionId, now: Instant): void {
    for (const end of this.#circuits.over(sessionId)) this.#circuitEnded(end, now);
  }

  /** Whether circuits of ours go through it. */
  isCarrying(sessionId: SessionId): boolean { return this.#circuits.over(sessionId).length > 0; }

  // --- sessions ---------------------------------------------------------------------------------------------------------------

  /** True when it was about a session with a contact. */
  handleSession(output: SessionOutput, now: Instant): boolean {
    if (output.kind === 'transmit' || output.kind === 'frame') return false;
    const sessionId = output.kind === 'established' || output.kind === 'restarted' ? output.session.id : output.sessionId;
    const known = this.#peers.ofSession(sessionId);
    if (output.kind === 'established' || output.kind === 'restarted') return this.#established(known, output.session, output.kind === 'restarted', now);
    if (known === undefined) return false;
    switch (output.kind) {
      case 'silent': case 'closed': this.#lost(known, now); return true;
      case 'path':
        if (output.change === 'lost') {
          const path = this.#kindOf(output.address, sessionId);
          // One that was closed is gone from here already, and was written down with that reason.
          if (isStraight(path.kind) || path.relay !== undefined) known.history.failed(path, isStraight(path.kind) ? output.address : undefined, 'no-answer', now);
          this.#circuits.hangUpAt(output.address, now);
          this.#nearby?.forget(known.publicKey, output.address);
          // The session core of the side that was dialled would wait for three minutes.
          if (this.#context.sessions.paths(sessionId, now).length === 0) { this.#lost(known, now); return true; }
          if (isCircuitAddress(output.address)) this.#reserve.want(known, now);
        }
        this.#upgrade.path(sessionId, output.change, output.address, now);
        return true;
      case 'moved':
        known.history.uses(this.#kindOf(output.address, sessionId), now);
        this.#events.peerMoved?.(known.publicKey, now);
        // The first path of all, by which they met, is a circuit too: nothing has failed, and the next that does is not to wait for it.
        if (isCircuitAddress(output.address) && this.#context.sessions.paths(sessionId, now).some(({ address }) => !isCircuitAddress(address))) this.#pathFailed(now);
        return true;
      case 'measured': {
        const roundTripsMs = this.#context.sessions.view(sessionId)?.roundTripsMs ?? [];
        this.#learned(known);
        if (roundTripsMs.at(-1) !== undefined) known.history.heard(now);
        if (roundTripsMs.length > 0) known.history.measured(roundTripsMs.at(-1));
        return true;
      }
    }
  }

  /** Behind a router that began anew, or moved, nothing else tells: this side's addresses are not what they were, and who only listened since is spoken to where we are no more. */
  #pathFailed(now: Instant): void {
    if (now.monotonicMs - this.#pathFailedMs < pathFailedGapMs) return;
    this.#pathFailedMs = now.monotonicMs;
    this.#events.pathFailed?.(now);
    this.#upgrade.pathFailed(now);
  }

  networkChanged(now: Instant): void {
    this.relayUp(now);
    this.#upgrade.networkChanged(now);
  }

  /** We are connected again: who was not to be reached may be now. */
  relayUp(now: Instant): void {
    for (const peer of this.#peers.all()) {
      askAnew(peer, now);
      if (peer.state === 'away' && isWanted(peer, now)) this.#meeting.ask(peer, now);
    }
  }

  /** The person wants to be hidden from now on, or not any more. */
  hidingChanged(isHidden: boolean, now: Instant): void {
    this.#upgrade.restart(now);
    for (const peer of this.#peers.all()) {
      const { sessionId } = peer;
      if (!isHidden || sessionId === undefined) continue;
      for (const { address } of this.#context.sessions.paths(sessionId, now)) if (!isCircuitAddress(address)) this.#context.sessions.dropPath(sessionId, address, now);
      if (this.#context.sessions.paths(sessionId, now).length === 0) this.#lost(peer, now);
    }
  }

  /** Somebody may not be an accepted contact any more, or nobody is. */
  contactsChanged(now: Instant): void {
    for (const peer of this.#peers.all()) if (!this.#isAccepted(peer.publicKey)) this.#leave(peer, now);
  }

  /** Says goodbye. Nothing is to be done about what was under way: it goes on with the next start. */
  stop(now: Instant): void {
    for (const [sessionId] of this.#peers.withSession()) this.#context.sessions.close(sessionId, now);
  }

  /** We are reachable elsewhere than we were. */
  candidatesChanged(now: Instant): void {
    for (const [, peer] of this.#peers.withSession()) this.#learned(peer);
    this.#upgrade.candidatesChanged(now);
  }

  /** Of sockets that are bound to guess ports, and of paths at them. */
  get guessing(): PathGuessing { return this.#upgrade.guessing; }

  handleTimeout(now: Instant): void {
    for (const peer of this.#peers.takeIdle(now)) this.#leave(peer, now);
    this.#meeting.handleTimeout(now);
    this.#reserve.handleTimeout(now);
    this.#upgrade.handleTimeout(now);
  }

  pollTimeout(): Due | undefined {
    return earliestOf([this.#peers.nextIdle(), this.#meeting.pollTimeout(), this.#reserve.pollTimeout(), this.#upgrade.pollTimeout()]);
  }

  // --- inside -----------------------------------------------------------------------------------------------------------------

  /** Whom we have to do with: nobody once another device has taken the place of this one, for what is written to us is for that one. */
  #isAccepted(publicKey: PublicKeyHex): boolean {
    const { contacts, values } = this.#context.memory;
    return contacts.get(publicKey)?.standing === 'contact' && values.get('revoked') !== 'true';
  }

  #kindOf(address: SocketAddress, sessionId: SessionId): PeerPath {
    return isCircuitAddress(address) ? this.#circuits.pathAt(address) : { kind: this.#upgrade.kindAt(sessionId, address), relay: undefined };
  }

  #pathInUse(sessionId: SessionId): PeerPath | undefined {
    const address = this.#context.sessions.view(sessionId)?.address;
    return address === undefined ? undefined : this.#kindOf(address, sessionId);
  }

  /** More may be known of the path in use than when it was found. */
  #learned({ sessionId, history }: Peer): void {
    const path = sessionId === undefined ? undefined : this.#pathInUse(sessionId);
    if (path !== undefined) history.learned(path.kind);
  }

  #peer(publicKey: PublicKeyHex, now: Instant): Peer | undefined {
    const known = this.#peers.of(publicKey);
    if (known !== undefined) return known;
    if (this.#peers.isFull) {
      const idlest = this.#peers.idlest(now.monotonicMs + wantedForMs);
      if (idlest === undefined) return undefined;
      this.#leave(idlest, now);
    }
    return this.#peers.add(publicKey);
  }

  #established(known: Peer | undefined, session: SessionView, isRestart: boolean, now: Instant): boolean {
    const identity = session.remoteCertificate?.identity;
    // Visors alone have several paths to each other.
    if (known === undefined && !isCircuitAddress(session.address) && this.#context.sessions.paths(session.id, now).length === 0) return false;
    const isWelcome = identity !== undefined && this.#isAccepted(identity) && (known === undefined || known.publicKey === identity);
    const peer = isWelcome ? this.#peer(identity, now) : undefined;
    if (peer === undefined) {
      // The circuit was for a contact, and somebody else came by it.
      this.#context.count('peer.unwelcome');
      this.#circuits.hangUpAt(session.address, now);
      this.#context.sessions.close(session.id, now);
      return true;
    }
    if (peer.sessionId !== undefined && peer.sessionId !== session.id && !this.#replaced(peer, peer.sessionId, session, now)) return true;
    const wasHere = peer.state === 'here' && peer.sessionId === session.id;
    if (isRestart || wasHere) this.#context.directed.sessionLost(session.id, now);
    peer.state = 'here';
    peer.sessionId = session.id;
    peer.failures = 0;
    peer.reason = undefined;
    peer.history.heard(now);
    peer.history.uses(this.#kindOf(session.address, session.id), now);
    this.#peers.want(peer, now.monotonicMs + wantedForMs);
    this.#peers.join(peer, session.id);
    this.#meeting.over(peer.publicKey);
    // Whoever was met in the own network may leave it at any moment.
    if (!isCircuitAddress(session.address)) this.#reserve.want(peer, now);
    this.#upgrade.began(peer.publicKey, session, now);
    this.#events.peerUp(peer.publicKey, now);
    return true;
  }

  /** They have another device now, as after a restore. False: it is the one from before that comes, and nothing is left of its session. */
  #replaced(peer: Peer, before: SessionId, session: SessionView, now: Instant): boolean {
    const known = this.#context.sessions.view(before)?.remoteCertificate;
    const isOlder = known !== undefined && (session.remoteCertificate?.notBeforeSeconds ?? 0) < known.notBeforeSeconds;
    const left = isOlder ? session.id : before;
    const addresses = this.#context.sessions.paths(left, now).map(({ address }) => address);
    if (isOlder) this.#context.count('peer.unwelcome');
    else if (peer.state === 'here') {
      peer.state = 'away';
      this.#peers.part(before);
      this.#events.peerDown(peer.publicKey, before, now);
    } else this.#peers.part(before);
    this.#upgrade.ended(left, now);
    this.#context.directed.sessionLost(left, now);
    this.#context.sessions.close(left, now);
    for (const address of addresses) this.#circuits.hangUpAt(address, now);
    return !isOlder;
  }

  #circuitEnded(end: CircuitEnd, now: Instant): void {
    const path = this.#circuits.pathAt(end.address);
    this.#circuits.close(end);
    const peer = this.#peers.of(end.peer);
    if (peer?.sessionId === undefined) return;
    const wasPath = this.#context.sessions.paths(peer.sessionId, now).some(({ address }) => sameAddress(address, end.address));
    if (wasPath) peer.history.failed(path, undefined, 'circuit-ended', now);
    this.#context.sessions.dropPath(peer.sessionId, end.address, now);
    // Their other way to us may still stand; if none is left, they are gone or have to be met anew.
    // While they are being met there is no path yet, and a circuit may be left by which they are.
    const isLeft = peer.state === 'meeting' ? this.#circuits.with(peer.publicKey).length > 0 : this.#context.sessions.paths(peer.sessionId, now).length > 0;
    if (isLeft) this.#reserve.want(peer, now);
    else this.#lost(peer, now);
  }

  #lost(peer: Peer, now: Instant): void {
    const { sessionId, state } = peer;
    this.#end(peer, now);
    if (sessionId !== undefined && state === 'here') this.#events.peerDown(peer.publicKey, sessionId, now);
    this.#meeting.again(peer, state === 'here' ? 'ended' : 'no-answer', now);
  }

  #leave(peer: Peer, now: Instant): void {
    const { sessionId, state } = peer;
    this.#end(peer, now);
    this.#peers.forget(peer);
    this.#meeting.forget(peer.publicKey);
    if (sessionId !== undefined && state === 'here') this.#events.peerDown(peer.publicKey, sessionId, now);
  }

  /** The session and every circuit with them. */
  #end(peer: Peer, now: Instant): void {
    const { sessionId } = peer;
    peer.state = 'away';
    peer.sessionId = undefined;
    peer.history.ended();
    this.#meeting.over(peer.publicKey);
    this.#reserve.forget(peer.publicKey);
    if (sessionId !== undefined) {
      this.#peers.part(sessionId);
      this.#upgrade.ended(sessionId, now);
      this.#context.directed.sessionLost(sessionId, now);
      // Before the circuits go, so that the other side hears of it.
      this.#context.sessions.close(sessionId, now);
    }
    for (const end of this.#circuits.with(peer.publicKey)) this.#circuits.hangUpAt(end.address, now);
  }
}

