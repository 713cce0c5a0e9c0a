/**
 * Shaking hands as the one who begins: first dials, rekeys, and coming back after silence or a restart are all the same handshake. IK when
 * the other side's device key is known; after two unanswered messages XX as well, since a restored device has a new key. One datagram is
 * repeated (0.25 s doubling to 8 s) until something authentic comes back; the old keys of a live session stay until then.
 */
import { HandshakeState, isUsablePublicKey } from '../noise/index.ts';
import { equalBytes } from '../wire/bytes.ts';
import type { Instant, SocketAddress } from '../wire/types.ts';
import { Attempt } from './attempt.ts';
import { attemptLifeMs, handshakeGapMs, handshakeRetryCapMs, handshakeRetryMs, proofLifeMs, protocolVersion, resetTokenBytes, unansweredBeforeXx } from './constants.ts';
import type { SessionContext } from './context.ts';
import { encodeAnswer, encodeHandshakeOne, handshakeOneRoomBytes, setCookie } from './datagram.ts';
import type { HandshakeAnswer, HandshakePatternName } from './datagram.ts';
import { decodePayload, encodePayload, ownVersions, prologue } from './handshake-payload.ts';
import { jittered } from './jitter.ts';
import { heard, sendEcho } from './liveness.ts';
import { sameAddress } from './path-validation.ts';
import type { Registry } from './registry.ts';
import type { Dial, Peer, Session } from './session.ts';
import { SessionKeys } from './session-keys.ts';
import { decideMeeting } from './tie-break.ts';
import type { CloseReason, DialOptions, DropReason } from './types.ts';

const retryJitter = 0.2;
const doublingsMaximum = 10;
const noToken = new Uint8Array(resetTokenBytes);

export class Initiator {
  readonly #context: SessionContext;
  readonly #registry: Registry;

  constructor(context: SessionContext, registry: Registry) {
    this.#context = context;
    this.#registry = registry;
  }

  dial(options: DialOptions, now: Instant): Session {
    const { remoteStatic } = options;
    const dial: Dial = {
      address: options.address,
      identity: options.identity,
      staticKeys: options.anonymous ? this.#context.newKeyPair() : this.#context.configuration.staticKeys,
      remoteStatic: remoteStatic !== undefined && isUsablePublicKey(remoteStatic) ? remoteStatic.slice() : undefined,
      startedMs: now.monotonicMs,
      attempts: [], transmissions: 0, unansweredIk: 0, nextTransmitMs: Infinity, lastBeginMs: -Infinity, lastHintMs: -Infinity, cookie: undefined,
    };
    return this.#registry.create(options.address, options.anonymous, dial, options.identity);
  }

  /** A fresh round of handshake messages, now or when the gap to the round before is over. */
  begin(session: Session, nowMs: number): void {
    const { dial } = session;
    if (dial === undefined || session.closed) return;
    dial.transmissions = 0;
    const allowedMs = dial.lastBeginMs + handshakeGapMs;
    if (nowMs < allowedMs) {
      dial.nextTransmitMs = Math.min(dial.nextTransmitMs, allowedMs);
      return;
    }
    dial.lastBeginMs = nowMs;
    this.transmit(session, nowMs);
  }

  /** Sends what is to be repeated and sets the time of the next repetition. */
  transmit(session: Session, nowMs: number): void {
    const { dial } = session;
    if (dial === undefined || session.closed) return;
    for (const attempt of [...dial.attempts]) if (nowMs >= attempt.expiresMs) this.#discard(dial, attempt);
    const patterns: HandshakePatternName[] = dial.remoteStatic === undefined ? ['XX'] : dial.unansweredIk >= unansweredBeforeXx ? ['IK', 'XX'] : ['IK'];
    for (const pattern of patterns) if (!dial.attempts.some((attempt) => attempt.pattern === pattern)) dial.attempts.push(this.#newAttempt(session, dial, pattern, nowMs));
    if (dial.remoteStatic !== undefined) dial.unansweredIk += 1;
    // Where the peer was last proven to be, and where its owner says it is, by turns.
    const to = dial.transmissions % 2 === 1 ? dial.address : session.address;
    for (const attempt of dial.attempts) {
      attempt.mayUseCookie = true;
      this.#send(session, dial, attempt, to);
    }
    const backoffMs = Math.min(handshakeRetryCapMs, handshakeRetryMs * 2 ** Math.min(dial.transmissions, doublingsMaximum));
    dial.transmissions += 1;
    dial.nextTransmitMs = nowMs + jittered(this.#context.random, backoffMs, retryJitter);
  }

  /** Ends the handshake in progress, if any. */
  stop(session: Session): void {
    const { dial } = session;
    if (dial === undefined) return;
    for (const attempt of [...dial.attempts]) this.#discard(dial, attempt);
    dial.nextTransmitMs = Infinity;
    dial.transmissions = 0;
    dial.unansweredIk = 0;
  }

  redirect(session: Session, address: SocketAddress, nowMs: number): void {
    const { dial } = session;
    if (dial === undefined) return;
    dial.address = address;
    if (session.keys !== undefined && !session.silent) return;
    dial.cookie = undefined;
    session.address = address;
    dial.transmissions = 0;
    this.transmit(session, nowMs);
  }

  handleCookie(from: SocketAddress, receiverIndex: number, cookie: Uint8Array): void {
    const attempt = this.#context.indices.get(receiverIndex);
    if (attempt?.kind !== 'attempt' || !attempt.mayUseCookie) { this.#context.drop('unexpected'); return; }
    const { session } = attempt;
    const { dial } = session;
    if (dial === undefined || !(sameAddress(from, session.address) || sameAddress(from, dial.address))) { this.#context.drop('unexpected'); return; }
    attempt.mayUseCookie = false;
    dial.cookie = cookie.slice();
    this.#send(session, dial, attempt, from);
  }

  handleAnswer(from: SocketAddress, answer: HandshakeAnswer, now: Instant): void {
    const context = this.#context;
    const attempt = context.indices.get(answer.receiverIndex);
    if (attempt === undefined) { context.drop('unknown-session'); return; }
    if (attempt.kind !== 'attempt') { context.drop('unexpected'); return; }
    const { session } = attempt;
    const { dial } = session;
    if (dial === undefined) { context.drop('unexpected'); return; }
    const plaintext = attempt.noise.tryReadMessage(answer.message);
    if (plaintext === undefined) { context.drop('unauthentic'); return; }
    const payload = decodePayload(plaintext);
    const staticKey = attempt.noise.remoteStaticKey;
    if (payload === undefined || staticKey === undefined) { this.#refuse(session, dial, attempt, 'bad-certificate', 'bad-certificate'); return; }
    if (payload.version !== protocolVersion) { this.#refuse(session, dial, attempt, 'bad-version', undefined); return; }
    // Our own dial asked for it, so the budget for strangers does not count.
    const certificate = context.certificates.accept(payload.certificate, now.wallMs, () => true);
    if (typeof certificate === 'string') { this.#refuse(session, dial, attempt, certificate, 'bad-certificate'); return; }
    if (certificate.identity === context.ownIdentity) { this.#refuse(session, dial, attempt, 'self', undefined); return; }
    if (certificate.identity !== dial.identity) { this.#refuse(session, dial, attempt, 'bad-certificate', 'wrong-identity'); return; }
    if (!equalBytes(certificate.x25519, staticKey)) { this.#refuse(session, dial, attempt, 'bad-certificate', 'bad-certificate'); return; }
    const peer: Peer = { certificate, staticKey, capabilities: payload.capabilities, bootId: payload.bootId };
    if (attempt.pattern === 'XX') this.#finishXx(session, dial, attempt, answer, payload.resetToken, peer, now.monotonicMs);
    else {
      const keys = new SessionKeys(attempt.noise.split(), attempt.localIndex, answer.senderIndex, payload.resetToken, session);
      this.#complete(session, dial, attempt, keys, peer, from, now);
    }
  }

  /** An authentic packet under keys that the session has not taken yet: the XX responder has finished. False when they are not wanted. */
  prove(session: Session, keys: SessionKeys, from: SocketAddress, now: Instant): boolean {
    const { dial } = session;
    const attempt = dial?.attempts.find((candidate) => candidate.finished?.keys === keys);
    if (dial === undefined || attempt?.finished === undefined) return false;
    this.#complete(session, dial, attempt, keys, attempt.finished.peer, from, now);
    return !session.closed;
  }

  #finishXx(session: Session, dial: Dial, attempt: Attempt, answer: HandshakeAnswer, token: Uint8Array, peer: Peer, nowMs: number): void {
    const context = this.#context;
    const message = attempt.noise.writeMessage(encodePayload(context.ownPayload(protocolVersion, session.anonymous, noToken)));
    attempt.datagram = encodeAnswer('handshake-3', attempt.localIndex, answer.senderIndex, message);
    const keys = new SessionKeys(attempt.noise.split(), attempt.localIndex, answer.senderIndex, token, session);
    attempt.finished = { keys, peer };
    context.indices.set(attempt.localIndex, keys);
    attempt.expiresMs = nowMs + proofLifeMs;
    this.#send(session, dial, attempt, session.address);
    // The other side is there: message 3 is repeated from the short pauses on.
    dial.transmissions = 1;
    dial.nextTransmitMs = nowMs + jittered(context.random, handshakeRetryMs, retryJitter);
  }

  #complete(session: Session, dial: Dial, attempt: Attempt, keys: SessionKeys, peer: Peer, from: SocketAddress, now: Instant): void {
    const context = this.#context;
    context.indices.set(attempt.localIndex, keys);
    attempt.finished = undefined;
    dial.attempts = dial.attempts.filter((other) => other !== attempt);
    this.stop(session);
    dial.remoteStatic = peer.staticKey;
    if (session.keys === undefined && !session.anonymous && !this.#survives(session, dial, peer)) {
      context.forgetKeys(keys);
      this.#registry.close(session, 'replaced');
      return;
    }
    const address = sameAddress(from, dial.address) ? dial.address : session.address;
    this.#registry.install(session, keys, peer, address, now);
    heard(session, now.monotonicMs);
    // For the responder this is the proof that makes the session current, so it goes at once.
    sendEcho(context, session, now.monotonicMs);
  }

  /** Settles the meeting with a session that the other side has dialled, or that we dialled before. */
  #survives(session: Session, dial: Dial, peer: Peer): boolean {
    for (let live = this.#registry.findLive(peer, session); live !== undefined; live = this.#registry.findLive(peer, session)) {
      const decision = decideMeeting({
        ownIdentity: this.#context.ownIdentity, remoteIdentity: dial.identity, liveInitiatedHere: live.dial !== undefined, newInitiatedHere: true,
        sameBootId: live.peer !== undefined && equalBytes(live.peer.bootId, peer.bootId),
        liveIsProven: !live.silent && live.lastHeardMs >= dial.startedMs,
      });
      if (decision === 'keep') return false;
      this.#registry.close(live, 'replaced');
    }
    return true;
  }

  #newAttempt(session: Session, dial: Dial, pattern: HandshakePatternName, nowMs: number): Attempt {
    const context = this.#context;
    const noise = new HandshakeState({
      crypto: context.crypto, pattern, initiator: true, prologue: prologue(pattern, ownVersions), staticKeyPair: dial.staticKeys, generateKeyPair: context.newKeyPair,
      ...(pattern === 'IK' && dial.remoteStatic !== undefined ? { remoteStatic: dial.remoteStatic } : {}),
    });
    const roomBytes = handshakeOneRoomBytes(ownVersions.length) - noise.nextOverheadBytes;
    // In XX the first message is readable by all: it says nothing.
    const payload = pattern === 'IK' ? encodePayload(context.ownPayload(0, session.anonymous, noToken), roomBytes) : new Uint8Array(roomBytes);
    const localIndex = context.freshIndex();
    const attempt = new Attempt(session, pattern, localIndex, noise, encodeHandshakeOne(pattern, localIndex, ownVersions, noise.writeMessage(payload)), nowMs + attemptLifeMs);
    context.indices.set(localIndex, attempt);
    return attempt;
  }

  #send(session: Session, dial: Dial, attempt: Attempt, to: SocketAddress): void {
    const datagram = attempt.finished === undefined && dial.cookie !== undefined ? setCookie(attempt.datagram, dial.cookie) : attempt.datagram;
    session.sentBytes += datagram.length;
    this.#context.transmit(to, datagram);
  }

  /** The answer is from whoever holds the keys, and still wrong. A session that works is not given up for it. */
  #refuse(session: Session, dial: Dial, attempt: Attempt, drop: DropReason, close: CloseReason | undefined): void {
    this.#context.drop(drop);
    this.#discard(dial, attempt);
    if (close !== undefined && (session.keys === undefined || session.silent)) this.#registry.close(session, close);
  }

  #discard(dial: Dial, attempt: Attempt): void {
    this.#context.indices.delete(attempt.localIndex);
    attempt.noise.destroy();
    attempt.finished?.keys.destroy();
    dial.attempts = dial.attempts.filter((other) => other !== attempt);
  }
}
