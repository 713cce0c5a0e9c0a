/**
 * How a session with a contact begins: they are dialled where they were seen in the own network, and by a circuit when that is nowhere or came to nothing; and they are asked for
 * again, less and less often, while they are not to be reached. What is done with the session is in peer-links.ts.
 */
import { Deadlines, type Due } from '../deadlines.ts';
import { isWanted, notReached, type Peer } from './peer.ts';
import type { PeerCircuits } from './peer-circuits.ts';
import type { Recipients } from './recipients.ts';
import type { CircuitEnd } from '../circuits/ends.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';

/** From the circuit to the session; then it is given up. */
const meetingMs = 12_000;

/** Where contacts were seen in the networks of this machine. */
export interface Nearby {
  /** Undefined: nowhere. */
  at(publicKey: PublicKeyHex, now: Instant): SocketAddress | undefined;
  /** Asks who is there. */
  seek(now: Instant): void;
  /** Tells them that a handshake is coming. */
  knock(publicKey: PublicKeyHex, address: SocketAddress, now: Instant): void;
  /** Nobody answered there. */
  forget(publicKey: PublicKeyHex, address: SocketAddress): void;
}

export interface MeetingEnvironment {
  readonly context: VisorContext;
  readonly circuits: PeerCircuits;
  readonly recipients: Recipients;
  readonly nearby: Nearby | undefined;
  /** Undefined: we have nothing to do with them any more. */
  peerOf(publicKey: PublicKeyHex): Peer | undefined;
  /** Theirs from now on; whether anybody answers will be seen. */
  dialled(peer: Peer, sessionId: SessionId): void;
  /** The session that was dialled is closed, and the circuits with it. */
  giveUp(peer: Peer, now: Instant): void;
}

export class PeerMeeting {
  readonly #environment: MeetingEnvironment;
  readonly #deadlines = new Deadlines();
  /** Of sessions that are being met in the own network: where. */
  readonly #dialledAt = new Map<PublicKeyHex, SocketAddress>();

  constructor(environment: MeetingEnvironment) { this.#environment = environment; }

  ask(peer: Peer, now: Instant): void {
    const { context, circuits, nearby } = this.#environment;
    const lastAskMs = peer.lastAskMs;
    peer.lastAskMs = now.monotonicMs;
    if (this.#dialNearby(peer, now)) return;
    nearby?.seek(now);
    peer.state = 'asking';
    circuits.ask(peer.publicKey, now, (found, deviceKey, at) => {
      const isOver = peer.state !== 'asking' || this.#environment.peerOf(peer.publicKey) !== peer;
      if (isOver) { if (typeof found !== 'string') circuits.hangUp(found, at); return; }
      // Nobody was asked.
      if (found === 'unprepared') peer.lastAskMs = lastAskMs;
      if (typeof found === 'string') { this.again(peer, found, at); return; }
      const { address } = circuits.open(found, peer.publicKey);
      this.#meet(peer, context.sessions.dial({ address, identity: peer.publicKey, remoteStatic: deviceKey, anonymous: false }, at), at);
    });
  }

  /** They were not reached, or are not any more. */
  again(peer: Peer, reason: Peer['reason'], now: Instant): void {
    const askAtMs = notReached(peer, reason, now);
    if (askAtMs !== undefined) this.#deadlines.set(`ask ${peer.publicKey}`, askAtMs);
  }

  /** A circuit was opened to us: they have to come by it. */
  opened(end: CircuitEnd, now: Instant): void { this.#deadlines.set(`unmet ${end.address.host}`, now.monotonicMs + meetingMs); }

  /** They were met, or will not be. */
  over(publicKey: PublicKeyHex): void {
    this.#dialledAt.delete(publicKey);
    this.#deadlines.clear(`meet ${publicKey}`);
  }

  /** Nobody wants them any more. */
  forget(publicKey: PublicKeyHex): void { this.#deadlines.clear(`ask ${publicKey}`); }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const space = key.indexOf(' ');
      const name = key.slice(0, space);
      const rest = key.slice(space + 1);
      if (name === 'unmet') { this.#unmet(rest, now); continue; }
      const peer = this.#environment.peerOf(rest);
      if (name === 'ask' && peer?.state === 'away' && isWanted(peer, now)) this.ask(peer, now);
      else if (name === 'meet' && peer?.state === 'meeting') this.#notMet(peer, now);
    }
  }

  pollTimeout(): Due | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: `peer ${next.key.split(' ')[0] ?? ''}` };
  }

  /** False: they were not seen near, or are met in another way already. */
  #dialNearby(peer: Peer, now: Instant): boolean {
    const { context, nearby, recipients } = this.#environment;
    const address = nearby?.at(peer.publicKey, now);
    const device = recipients.known(peer.publicKey)?.device;
    if (address === undefined || device === undefined || context.sessions.findByIdentity(peer.publicKey) !== undefined) return false;
    nearby?.knock(peer.publicKey, address, now);
    this.#dialledAt.set(peer.publicKey, address);
    this.#meet(peer, context.sessions.dial({ address, identity: peer.publicKey, remoteStatic: device.x25519, anonymous: false, announced: true }, now), now);
    return true;
  }

  #meet(peer: Peer, sessionId: SessionId, now: Instant): void {
    // They came to us in the meantime.
    if (peer.sessionId === sessionId && peer.state === 'here') return;
    peer.state = 'meeting';
    peer.sessionId = sessionId;
    this.#environment.dialled(peer, sessionId);
    this.#deadlines.set(`meet ${peer.publicKey}`, now.monotonicMs + meetingMs);
  }

  /** Who does not answer in the own network may still be reached by a circuit. */
  #notMet(peer: Peer, now: Instant): void {
    const address = this.#dialledAt.get(peer.publicKey);
    if (address !== undefined) this.#environment.nearby?.forget(peer.publicKey, address);
    this.#environment.giveUp(peer, now);
    if (address === undefined) this.again(peer, 'no-answer', now);
    else if (isWanted(peer, now)) this.ask(peer, now);
  }

  /** Nobody came by the circuit that was opened to us: no session of theirs has it as a path. */
  #unmet(host: string, now: Instant): void {
    const { circuits, context } = this.#environment;
    const end = circuits.at({ host, port: 0 });
    if (end === undefined) return;
    const sessionId = this.#environment.peerOf(end.peer)?.sessionId;
    if (sessionId !== undefined && context.sessions.paths(sessionId, now).some(({ address }) => address.host === host)) return;
    circuits.hangUpAt(end.address, now);
  }
}
