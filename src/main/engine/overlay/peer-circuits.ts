/**
 * The circuits to contacts, as far as they end here: asked for at relays of theirs, taken when relays of ours offer them, and what goes through. Whom they are for and what
 * becomes of the sessions in them is told in peer-links.ts.
 */
import { CircuitEnds, type CircuitEnd } from '../circuits/ends.ts';
import { tunnelled, tunnelledMaximumBytes, writeTunnelFrame } from '../circuits/tunnel.ts';
import { askCircuit, type FoundCircuit } from './circuit-asking.ts';
import type { Answer } from '../directed/types.ts';
import type { DepositTokens } from '../mail/tokens.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import type { PeerPath } from './peer-sessions.ts';
import type { Recipients } from './recipients.ts';
import type { RelayLinks } from './relay-links.ts';

/** With those that others opened to us and that no session has come by yet. */
const circuitsMaximum = 96;
/** Circuits with one contact: one of ours and one of theirs, and some that are not missed yet. What nobody else gets must not be one's to take. */
const circuitsPerPeerMaximum = 8;
/** Of these at one relay: it has seen their tokens, and must not keep them from reaching us by others. */
const circuitsPerPeerAtRelayMaximum = 4;
const hangUpDeadlineMs = 3_000;

/** `unprepared`: what it takes to ask for them is not known. */
export type AskedCircuit = FoundCircuit | 'unprepared' | 'not-connected';

export class PeerCircuits {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #recipients: Recipients;
  readonly #tokens: DepositTokens;
  readonly #isAccepted: (publicKey: PublicKeyHex) => boolean;
  readonly #taken: (end: CircuitEnd, now: Instant) => void;
  readonly #ends = new CircuitEnds();

  /** @param taken a contact has opened a circuit to us, and may come by it. */
  constructor(context: VisorContext, links: RelayLinks, recipients: Recipients, tokens: DepositTokens, isAccepted: (publicKey: PublicKeyHex) => boolean, taken: (end: CircuitEnd, now: Instant) => void) {
    this.#context = context;
    this.#links = links;
    this.#recipients = recipients;
    this.#tokens = tokens;
    this.#isAccepted = isAccepted;
    this.#taken = taken;
    context.directed.handle('connect', (sessionId, body, answer, now) => { if (body.verb === 'connect') this.#connect(sessionId, body.circuit, body.tokenHash, answer, now); });
  }

  /** A datagram that came out of a tunnel, and from where; undefined: no circuit of ours. */
  tunnelled(sessionId: SessionId, circuit: number, frame: Uint8Array): { readonly from: SocketAddress; readonly datagram: Uint8Array } | undefined {
    const end = this.#ends.find(sessionId, circuit);
    return end === undefined ? undefined : { from: end.address, datagram: tunnelled(frame) };
  }

  /** A datagram of a session of ours that goes by a circuit. */
  transmit(to: SocketAddress, datagram: Uint8Array, now: Instant): void {
    const end = this.#ends.at(to);
    if (end === undefined) { this.#context.count('circuit.gone'); return; }
    // No session core sends such; and if it did, that is no reason to fall.
    if (datagram.length > tunnelledMaximumBytes) { this.#context.count('circuit.too-long'); return; }
    this.#context.sessions.send(end.sessionId, writeTunnelFrame((sizeBytes) => this.#context.sessions.frameRoom(sizeBytes), end.circuit, datagram), now);
  }

  /** The device key is what a handshake in the circuit begins with. Runs `done` at once when nobody can be asked. */
  ask(publicKey: PublicKeyHex, now: Instant, done: (found: AskedCircuit, deviceKey: Uint8Array | undefined, now: Instant) => void): void {
    const contact = this.#context.memory.contacts.get(publicKey);
    const recipient = this.#recipients.known(publicKey);
    if (contact?.depositToken === undefined || recipient === undefined) { done('unprepared', undefined, now); return; }
    askCircuit(this.#context, this.#links, recipient, this.#recipients.friends.of(publicKey, now), contact.depositToken, now, (found, at) => { done(found ?? 'not-connected', recipient.device.x25519, at); });
  }

  open({ sessionId, circuit, relay }: FoundCircuit, peer: PublicKeyHex): CircuitEnd { return this.#ends.open(sessionId, circuit, peer, relay); }
  at(address: SocketAddress): CircuitEnd | undefined { return this.#ends.at(address); }

  /** The way that a circuit is: through a friend's computer, or a relay, and that over TCP where it has to be. */
  pathAt(address: SocketAddress): PeerPath {
    const end = this.#ends.at(address);
    const { memory, sessions } = this.#context;
    const carrier = end === undefined ? undefined : sessions.view(end.sessionId)?.address;
    const kind = end !== undefined && memory.relays.get(end.relay)?.role === 'friend' ? 'friend' : carrier !== undefined && isTcpAddress(carrier) ? 'relay-tcp' : 'relay';
    return { kind, relay: end?.relay };
  }

  find(sessionId: SessionId, circuit: number): CircuitEnd | undefined { return this.#ends.find(sessionId, circuit); }
  over(sessionId: SessionId): readonly CircuitEnd[] { return [...this.#ends.over(sessionId)]; }
  with(peer: PublicKeyHex): readonly CircuitEnd[] { return [...this.#ends.with(peer)]; }
  /** It has ended; nobody is told. */
  close(end: CircuitEnd): void { this.#ends.close(end); }

  hangUpAt(address: SocketAddress, now: Instant): void {
    const end = this.#ends.at(address);
    if (end === undefined) return;
    this.#ends.close(end);
    this.hangUp(end, now);
  }

  hangUp({ sessionId, circuit }: Pick<FoundCircuit, 'sessionId' | 'circuit'>, now: Instant): void {
    this.#context.directed.request(sessionId, { verb: 'hang-up', circuit }, { deadlineMs: hangUpDeadlineMs, done: () => undefined }, now);
  }

  /** From a relay of ours: somebody wants to reach us. */
  #connect(sessionId: SessionId, circuit: number, tokenHash: Uint8Array, answer: Answer, now: Instant): void {
    const link = this.#links.bySession(sessionId);
    const from = link?.purpose === 'own' ? this.#tokens.contactOf(tokenHash) : undefined;
    const known = from === undefined ? [] : this.with(from);
    const hasRoom = this.#ends.size < circuitsMaximum && known.length < circuitsPerPeerMaximum && known.filter(({ relay }) => relay === link?.hint.publicKey).length < circuitsPerPeerAtRelayMaximum;
    // Otherwise the end of the one that has it would be the end of the other.
    const isFree = [undefined, from].includes(this.#ends.find(sessionId, circuit)?.peer);
    const isWanted = link !== undefined && from !== undefined && circuit !== 0 && isFree && this.#isAccepted(from) && hasRoom;
    if (!isWanted) { answer.refuse({ code: 'refused', retryAfterSeconds: 0, detail: 0 }, now); return; }
    this.#taken(this.#ends.open(sessionId, circuit, from, link.hint.publicKey), now);
    answer.respond(new Uint8Array(0), now);
  }
}
