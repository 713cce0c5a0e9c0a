/**
 * Shaking hands as the one who is called. Cheap checks come first: table sizes, then (under load) the cookie, then Diffie-Hellman, then
 * certificates known from before, and the secp256k1 check last and within a budget. What comes of a first message waits in a bounded
 * table until the initiator proves itself; until then nothing of a live session is touched, so replays are harmless. When the table is
 * full the oldest makes room: genuine initiators prove themselves within a round trip.
 */
import { HandshakeState } from '../noise/index.ts';
import { equalBytes, isAllZero, toHex } from '../wire/bytes.ts';
import type { Instant, SocketAddress } from '../wire/types.ts';
import { cookieBytes, pendingLifeMs, pendingPressure, protocolVersion } from './constants.ts';
import type { SessionContext } from './context.ts';
import { CookieJar } from './cookie.ts';
import { encodeAnswer, encodeCookie } from './datagram.ts';
import type { HandshakeAnswer, HandshakeOne } from './datagram.ts';
import { decodePayload, encodePayload, prologue } from './handshake-payload.ts';
import { sameAddress } from './path-validation.ts';
import type { Registry } from './registry.ts';
import { resetToken } from './reset-token.ts';
import type { OutstandingEcho, Peer } from './session.ts';
import { SessionKeys } from './session-keys.ts';
import type { Timed } from './timers.ts';
import { TokenBucket } from './token-bucket.ts';
import type { DropReason } from './types.ts';

const lastMessageTagBytes = 16;

/** Somebody's handshake between their first message and their proof. */
export class PendingHandshake implements Timed {
  readonly kind = 'pending';
  readonly timerName = 'handshake';
  wakeAtMs: number;
  queuedAtMs = Infinity;
  /** Digest of the first message: a repetition gets the same answer. */
  readonly digest: string;
  readonly address: SocketAddress;
  readonly localIndex: number;
  answer: Uint8Array = new Uint8Array(0);
  /** XX before message 3. */
  noise: HandshakeState | undefined = undefined;
  keys: SessionKeys | undefined = undefined;
  peer: Peer | undefined = undefined;
  echo: OutstandingEcho | undefined = undefined;
  lastMessageTag: Uint8Array | undefined = undefined;

  constructor(digest: string, address: SocketAddress, localIndex: number, nowMs: number) {
    this.digest = digest;
    this.address = address;
    this.localIndex = localIndex;
    this.wakeAtMs = nowMs + pendingLifeMs;
  }
}

export class Responder {
  readonly #context: SessionContext;
  readonly #registry: Registry;
  readonly #cookies: CookieJar;
  readonly #rate: TokenBucket;
  readonly #certificateBudget: TokenBucket;
  /** In the order of arrival. */
  readonly #pending = new Map<string, PendingHandshake>();

  constructor(context: SessionContext, registry: Registry) {
    const { cookieThresholdPerSecond, certificateChecksPerSecond } = context.limits;
    this.#context = context;
    this.#registry = registry;
    this.#cookies = new CookieJar(context.crypto, context.random);
    this.#rate = new TokenBucket(cookieThresholdPerSecond, cookieThresholdPerSecond);
    this.#certificateBudget = new TokenBucket(certificateChecksPerSecond, certificateChecksPerSecond);
  }

  get pendingCount(): number { return this.#pending.size; }

  handleFirst(from: SocketAddress, first: HandshakeOne, now: Instant): void {
    const context = this.#context;
    if (!context.configuration.listening) { context.drop('not-listening'); return; }
    if (!first.versions.includes(protocolVersion)) { context.drop('bad-version'); return; }
    if (this.#demandsCookie(from, first, now.monotonicMs)) return;
    // The cookie changes between repetitions; the message does not.
    const digest = `${toHex(context.crypto.sha256(first.message).subarray(0, 16))}${String(first.senderIndex)}`;
    const known = this.#pending.get(digest);
    if (known !== undefined) {
      if (!sameAddress(known.address, from) || known.lastMessageTag !== undefined) { context.drop('unexpected'); return; }
      context.transmit(from, known.answer); return;
    }
    const noise = new HandshakeState({
      crypto: context.crypto, pattern: first.pattern, initiator: false, prologue: prologue(first.pattern, first.versions),
      staticKeyPair: context.configuration.staticKeys, generateKeyPair: context.newKeyPair,
    });
    const plaintext = noise.tryReadMessage(first.message);
    const reason = plaintext === undefined ? 'unauthentic' : this.#answer(from, first, noise, plaintext, digest, now);
    if (reason === undefined) return;
    noise.destroy();
    context.drop(reason);
  }

  /** Message 3 of XX, or its repetition. */
  handleLast(from: SocketAddress, last: HandshakeAnswer, now: Instant): void {
    const context = this.#context;
    const owner = context.indices.get(last.receiverIndex);
    if (owner === undefined) { context.drop('unknown-session'); return; }
    const pending = owner.kind === 'pending' ? owner : owner.kind === 'keys' && owner.owner.kind === 'pending' ? owner.owner : undefined;
    if (pending === undefined) { context.drop('unexpected'); return; }
    const tag = last.message.slice(-lastMessageTagBytes);
    if (pending.lastMessageTag !== undefined) {
      // Their first transport packet is still to come, so our echo may have been lost.
      if (!equalBytes(pending.lastMessageTag, tag) || !sameAddress(pending.address, from)) { context.drop('unexpected'); return; }
      this.#sendEcho(pending, now.monotonicMs); return;
    }
    const { noise } = pending;
    if (noise === undefined) { context.drop('unexpected'); return; }
    const plaintext = noise.tryReadMessage(last.message);
    if (plaintext === undefined) { context.drop('unauthentic'); return; }
    const peer = this.#readPeer(plaintext, noise.remoteStaticKey, protocolVersion, now);
    const reason = typeof peer === 'string' ? peer : this.#registry.hasRoomFor(peer) ? undefined : 'session-limit';
    if (typeof peer === 'string' || reason !== undefined) {
      this.forget(pending);
      context.drop(reason ?? 'unexpected'); return;
    }
    pending.peer = peer;
    pending.noise = undefined;
    pending.lastMessageTag = tag;
    pending.keys = new SessionKeys(noise.split(), pending.localIndex, last.senderIndex, undefined, pending);
    context.indices.set(pending.localIndex, pending.keys);
    this.#sendEcho(pending, now.monotonicMs);
  }

  /** The initiator has proved itself, so the handshake leaves the table; its keys live on. */
  release(pending: PendingHandshake): void {
    this.#pending.delete(pending.digest);
    pending.wakeAtMs = Infinity;
  }

  /** Time is up, or it was refused. */
  forget(pending: PendingHandshake): void {
    this.release(pending);
    this.#context.indices.delete(pending.localIndex);
    pending.noise?.destroy();
    pending.keys?.destroy();
  }

  #demandsCookie(from: SocketAddress, first: HandshakeOne, nowMs: number): boolean {
    const context = this.#context;
    const belowRate = this.#rate.take(nowMs);
    if (belowRate && this.#pending.size < context.limits.pendingHandshakes * pendingPressure) return false;
    const shown = !isAllZero(first.cookie);
    if (shown && this.#cookies.isValid(first.cookie, from, nowMs)) return false;
    context.drop(shown ? 'bad-cookie' : 'cookie-demanded');
    context.transmit(from, encodeCookie(first.senderIndex, this.#cookies.bake(from, nowMs).subarray(0, cookieBytes)));
    return true;
  }

  #answer(from: SocketAddress, first: HandshakeOne, noise: HandshakeState, plaintext: Uint8Array, digest: string, now: Instant): DropReason | undefined {
    const context = this.#context;
    let peer: Peer | undefined;
    if (first.pattern === 'IK') {
      const read = this.#readPeer(plaintext, noise.remoteStaticKey, 0, now);
      if (typeof read === 'string') return read;
      if (!this.#registry.hasRoomFor(read)) return 'session-limit';
      peer = read;
    } else if (this.#registry.isFull) {
      return 'session-limit';
    }
    if (!this.#makeRoom()) return 'handshake-limit';
    const localIndex = context.freshIndex();
    const pending = new PendingHandshake(digest, from, localIndex, now.monotonicMs);
    const payload = context.ownPayload(protocolVersion, false, resetToken(context.crypto, context.configuration.resetSecret, localIndex));
    pending.answer = encodeAnswer('handshake-2', localIndex, first.senderIndex, noise.writeMessage(encodePayload(payload)));
    if (peer === undefined) {
      pending.noise = noise;
      context.indices.set(localIndex, pending);
    } else {
      pending.peer = peer;
      pending.keys = new SessionKeys(noise.split(), localIndex, first.senderIndex, undefined, pending);
      context.indices.set(localIndex, pending.keys);
    }
    this.#pending.set(digest, pending);
    context.timers.update(pending);
    context.transmit(from, pending.answer);
    return undefined;
  }

  #makeRoom(): boolean {
    if (this.#pending.size < this.#context.limits.pendingHandshakes) return true;
    const oldest = this.#pending.values().next();
    if (oldest.done === true) return false;
    this.forget(oldest.value);
    this.#context.drop('handshake-limit');
    return true;
  }

  #readPeer(plaintext: Uint8Array, staticKey: Uint8Array | undefined, version: number, now: Instant): Peer | DropReason {
    const payload = decodePayload(plaintext);
    if (payload === undefined || staticKey === undefined) return 'bad-certificate';
    if (payload.version !== version) return 'bad-version';
    const { bootId, capabilities } = payload;
    if (payload.certificate.length === 0) return { certificate: undefined, staticKey, capabilities, bootId };
    const certificate = this.#context.certificates.accept(payload.certificate, now.wallMs, () => this.#certificateBudget.take(now.monotonicMs));
    if (typeof certificate === 'string') return certificate;
    if (certificate.identity === this.#context.ownIdentity) return 'self';
    return equalBytes(certificate.x25519, staticKey) ? { certificate, staticKey, capabilities, bootId } : 'bad-certificate';
  }

  #sendEcho(pending: PendingHandshake, nowMs: number): void {
    if (pending.keys === undefined) return;
    pending.echo = { requestId: this.#context.control.requestId(), sentMs: nowMs };
    this.#context.transmit(pending.address, pending.keys.seal(this.#context.control.echo(pending.echo.requestId)));
  }
}
