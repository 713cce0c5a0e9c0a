/**
 * The responder's half of handshakes. Costs rise from check to check: cookie, table bounds, Diffie-Hellman, certificate cache, and last the
 * secp256k1 signature within its budget. A handshake that we answered stays here until the initiator's first transport packet; until then
 * it changes nothing for sessions that live.
 */
import { generateKeyPair, HandshakeState } from '../noise/index.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CookieJar, RateMeter } from './guards.ts';
import { pendingMs, payloadVersion } from './constants.ts';
import { encodeHandshake, encodeShort, noCookie, prologue, type Datagram } from './datagram.ts';
import { decodePayload, encodePayload, type HandshakePayload } from './handshake-payload.ts';
import { ReplayWindow } from './replay-window.ts';
import { isCircuitAddress } from '../circuits/tunnel.ts';
import { identityOf } from './keys.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import { socketAddressKey, type DeviceCertificate, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Link, Pending, TransportKeys } from './link.ts';
import type { SessionTable } from './sessions.ts';
import type { DropReason } from './types.ts';

/** Above this share of the pending table cookies are demanded even at a low rate. */
const cookieTableShare = 0.75;
const nothing = new Uint8Array(0);

export class Responder {
  readonly #table: SessionTable;
  readonly #cookies: CookieJar;
  readonly #meter = new RateMeter();
  readonly #pending = new Map<number, Pending>();
  readonly #byMessage = new Map<string, Pending>();
  readonly #ownIdentity: string;

  constructor(table: SessionTable) {
    this.#table = table;
    this.#cookies = new CookieJar(table.configuration.crypto, table.configuration.random);
    this.#ownIdentity = identityOf(table.configuration.certificate);
  }

  has(index: number): boolean { return this.#pending.has(index); }

  handshake1(from: SocketAddress, datagram: Extract<Datagram, { type: 'handshake-1' }>, now: Instant): void {
    const { configuration, limits } = this.#table;
    const isGuest = !this.#table.acceptsFrom(from);
    if (isGuest && (datagram.pattern !== 'IK' || !this.#table.mayExpectAt(from, undefined, now))) { this.#table.drop('not-listening'); return; }
    if (!datagram.versions.includes(payloadVersion)) { this.#table.drop('bad-version'); return; }
    const loaded = this.#meter.add(now) > limits.cookieThresholdPerSecond || this.#pending.size > limits.pendingHandshakes * cookieTableShare;
    // A cookie would be an answer, and to somebody of whom it is not known yet who it is.
    if (loaded && isGuest) { this.#table.drop('cookie-demanded'); return; }
    // Whoever has a connection over TCP has proved that they can receive, and may have as many as the host allows.
    if (loaded && !isTcpAddress(from) && !this.#cookies.accepts(datagram.cookie, from, now)) {
      this.#table.drop(equalBytes(datagram.cookie, noCookie) ? 'cookie-demanded' : 'bad-cookie');
      this.#table.transmit(from, encodeShort(5, datagram.senderIndex, this.#cookies.make(from, now)));
      return;
    }
    const dedupeKey = `${socketAddressKey(from)} ${toHex(configuration.crypto.sha256(datagram.message))}`;
    const known = this.#byMessage.get(dedupeKey);
    if (known !== undefined) { this.#table.transmit(from, known.answer); return; }
    const state = new HandshakeState({
      crypto: configuration.crypto, pattern: datagram.pattern, initiator: false, prologue: prologue(datagram.pattern, datagram.versions), staticKeyPair: configuration.staticKeys,
      generateKeyPair: () => generateKeyPair(configuration.crypto, configuration.random),
    });
    const bytes = state.readMessage(datagram.message);
    const payload = bytes === undefined ? undefined : decodePayload(bytes);
    if (payload === undefined) { this.#table.drop('unauthentic'); return; }
    const isIk = datagram.pattern === 'IK';
    const remoteStatic = state.remoteStaticKey ?? nothing;
    const certificate = isIk ? this.#certificate(payload, remoteStatic, now) : undefined;
    if (typeof certificate === 'string') return;
    if (isGuest && (certificate === undefined || !this.#table.mayExpectAt(from, certificate.identity, now))) { this.#table.drop('not-listening'); return; }
    // A device that has a session may always make it anew. XX tells who it is with message 3.
    if (isIk && this.#table.isFull && this.#table.linkOf(remoteStatic, certificate?.identity) === undefined) { this.#table.drop('session-limit'); return; }
    const oldest = this.#pending.size >= limits.pendingHandshakes ? this.#pending.values().next() : undefined;
    // The oldest goes, not the newcomer: an honest one is done after a round trip, and refusing would let one address fill the table for 10 s.
    if (oldest?.done === false) { this.#table.drop('handshake-limit'); this.#discard(oldest.value); }
    const localIndex = this.#table.freeIndex();
    const message = state.writeMessage(encodePayload({
      version: payloadVersion, bootId: configuration.bootId, resetToken: this.#table.resetTokenFor(localIndex), certificate: configuration.certificate, capabilities: configuration.capabilities,
    }));
    const pending: Pending = {
      localIndex, remoteIndex: datagram.senderIndex, from, createdMs: now.monotonicMs, answer: encodeHandshake(2, localIndex, datagram.senderIndex, message), dedupeKey,
      state: isIk ? undefined : state, keys: isIk ? this.#keys(state, localIndex, datagram.senderIndex, now.monotonicMs, now) : undefined, certificate, remoteStatic,
      capabilities: payload.capabilities, bootId: payload.bootId,
    };
    this.#pending.set(localIndex, pending);
    this.#byMessage.set(dedupeKey, pending);
    this.#table.armPending(now.monotonicMs + pendingMs);
    this.#table.transmit(from, pending.answer);
  }

  handshake3(from: SocketAddress, datagram: Extract<Datagram, { type: 'handshake-2' | 'handshake-3' }>, sizeBytes: number, now: Instant): void {
    const pending = this.#pending.get(datagram.receiverIndex);
    // A repetition after the session stands: their echo is answered over it.
    if (pending?.state === undefined) { this.#table.drop('unexpected'); return; }
    const bytes = pending.state.tryReadMessage(datagram.message);
    if (bytes === undefined) { this.#table.drop('unauthentic'); return; }
    const payload = decodePayload(bytes);
    const remoteStatic = pending.state.remoteStaticKey;
    const certificate = payload === undefined || remoteStatic === undefined ? 'bad-certificate' : this.#certificate(payload, remoteStatic, now);
    if (payload === undefined || remoteStatic === undefined || typeof certificate === 'string') { this.#discard(pending); return; }
    pending.certificate = certificate;
    pending.remoteStatic = remoteStatic;
    pending.capabilities = payload.capabilities;
    pending.bootId = payload.bootId;
    pending.keys = this.#keys(pending.state, pending.localIndex, pending.remoteIndex, pending.createdMs, now);
    pending.state = undefined;
    // Message 3 proves that the initiator got message 2 at this address: it stands for the first transport packet.
    this.#promote(pending, pending.keys, from, sizeBytes, now);
  }

  /** The link that this packet makes real, with its plaintext; `unknown` when nothing here waits for that index, undefined when dropped. */
  firstTransport(from: SocketAddress, datagram: Extract<Datagram, { type: 'transport' }>, sizeBytes: number, now: Instant): { readonly link: Link; readonly plaintext: Uint8Array } | 'unknown' | undefined {
    const pending = this.#pending.get(datagram.receiverIndex);
    if (pending === undefined) return 'unknown';
    // XX: the transport packet overtook message 3, which will be repeated.
    if (pending.keys === undefined) { this.#table.drop('unexpected'); return undefined; }
    const plaintext = pending.keys.receive.decryptAt(datagram.counter, nothing, datagram.ciphertext);
    if (plaintext === undefined) { this.#table.drop('unauthentic'); return undefined; }
    pending.keys.window.accept(datagram.counter);
    pending.keys.confirmed = true;
    const link = this.#promote(pending, pending.keys, from, sizeBytes, now);
    return link === undefined ? undefined : { link, plaintext };
  }

  expire(now: Instant): void {
    let earliest: number | undefined;
    for (const pending of [...this.#pending.values()]) {
      const endsMs = pending.createdMs + pendingMs;
      if (endsMs > now.monotonicMs) { earliest = endsMs; break; }
      this.#discard(pending);
    }
    if (earliest !== undefined) this.#table.armPending(earliest);
  }

  #certificate(payload: HandshakePayload, remoteStatic: Uint8Array, now: Instant): DeviceCertificate | undefined | 'dropped' {
    if (payload.certificate.length === 0) return undefined;
    const certificate = this.#table.certificates.check(payload.certificate, now, 'dials-us');
    if (typeof certificate === 'string') { this.#table.drop(certificate); return 'dropped'; }
    if (!equalBytes(certificate.x25519, remoteStatic)) { this.#table.drop('bad-certificate'); return 'dropped'; }
    if (equalBytes(certificate.x25519, this.#table.configuration.staticKeys.publicKey) && certificate.identity === this.#ownIdentity) { this.#table.drop('self'); return 'dropped'; }
    return certificate;
  }

  #keys(state: HandshakeState, localIndex: number, remoteIndex: number, begunMs: number, now: Instant): TransportKeys {
    const { send, receive } = state.split();
    return { localIndex, remoteIndex, send, receive, window: new ReplayWindow(), initiator: false, establishedMs: now.monotonicMs, begunMs, resetToken: nothing, sendCounter: 0, confirmed: false, handshake3: undefined };
  }

  /** Undefined when the handshake proved well but must not become a session. */
  #promote(pending: Pending, keys: TransportKeys, from: SocketAddress, sizeBytes: number, now: Instant): Link | undefined {
    const existing = this.#table.linkOf(pending.remoteStatic, pending.certificate?.identity);
    const refusal = this.#refusal(existing, pending, now);
    if (refusal !== undefined) { this.#table.drop(refusal); this.#discard(pending); return undefined; }
    this.#drop(pending);
    const link = existing ?? this.#table.newLink(pending.from, undefined, this.#table.configuration.staticKeys, now);
    // Message 2 was read by whoever completes the handshake, so the address it went to can receive. This packet's own source is not proved.
    const moves = link.paths === undefined && socketAddressKey(from) !== socketAddressKey(link.address) && socketAddressKey(pending.from) !== socketAddressKey(link.address);
    if (moves) link.address = pending.from;
    link.candidate = undefined;
    const wasAnnounced = link.announced;
    this.#table.install(link, keys, pending, now);
    if (link.paths !== undefined) this.#table.provedAt(link, pending.from, now);
    if (moves && wasAnnounced) this.#table.output({ kind: 'moved', sessionId: link.id, address: link.address });
    if (socketAddressKey(from) !== socketAddressKey(link.address)) this.#table.heardFrom(link, from, sizeBytes, now);
    if (!keys.confirmed) this.#table.greet(link, now);
    return link;
  }

  #refusal(existing: Link | undefined, pending: Pending, now: Instant): DropReason | undefined {
    if (existing === undefined) return !this.#table.mayBeginAt(pending.from, pending.certificate?.identity, now) ? 'not-listening' : this.#table.isFull ? 'session-limit' : undefined;
    // The session that carries circuits must not be led into one of them: what is sent there would go by that very session.
    if (existing.paths === undefined && isCircuitAddress(pending.from)) return 'not-listening';
    // A packet that was held back must not bring back keys which its sender has replaced since.
    if (existing.keys !== undefined && !existing.keys.initiator && existing.keys.begunMs > pending.createdMs) return 'unexpected';
    // One device key speaks for one identity for as long as a session lives.
    const identities = [existing.remoteCertificate?.identity ?? existing.dial?.identity, pending.certificate?.identity];
    return identities[0] !== undefined && identities[1] !== undefined && identities[0] !== identities[1] ? 'bad-certificate' : undefined;
  }

  #discard(pending: Pending): void {
    this.#drop(pending);
    pending.state?.destroy();
    pending.keys?.send.destroy();
    pending.keys?.receive.destroy();
  }

  #drop(pending: Pending): void {
    this.#pending.delete(pending.localIndex);
    this.#byMessage.delete(pending.dedupeKey);
  }
}
