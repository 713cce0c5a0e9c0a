/** Composes the machines: sorts datagrams to them, promotes proven handshakes, runs due deadlines. The page of prose is in `index.ts`. */
import { equalBytes, isAllZero } from '../wire/bytes.ts';
import { frameMaximumBytes } from '../wire/frame.ts';
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import { hintGapMs, unknownSessionBurst, unknownSessionPerSecond, unknownSessionTriggerBytes } from './constants.ts';
import { SessionContext } from './context.ts';
import { datagramTypes, decodeControlDatagram, encodeUnknownSession, transportCounter, transportIndex } from './datagram.ts';
import { Initiator } from './initiator.ts';
import { acceptEchoAnswer, heard, runLiveness, sendEcho, transmitExpecting, transmitFrame } from './liveness.ts';
import { acceptChallengeAnswer, heardFrom, sameAddress } from './path-validation.ts';
import { Registry } from './registry.ts';
import { resetToken } from './reset-token.ts';
import { Responder } from './responder.ts';
import type { PendingHandshake } from './responder.ts';
import type { Session } from './session.ts';
import { hasWornOut } from './session-keys.ts';
import type { SessionKeys } from './session-keys.ts';
import { decideMeeting, lowerIsHere } from './tie-break.ts';
import { TokenBucket } from './token-bucket.ts';
import type { CreateSessions, DialOptions, DropReason, SessionConfiguration, SessionId, SessionOutput, Sessions, SessionView } from './types.ts';

const datagramMaximumBytes = 1_200;

/** @throws RangeError when the own certificate, boot id, reset secret or capabilities could never make a handshake. */
export const createSessions: CreateSessions = (configuration) => new SessionCore(configuration);

/** Sizes of the tables, for tests and diagnostics. */
export interface TableSizes { readonly sessions: number; readonly pending: number; readonly indices: number; readonly timers: number; readonly certificates: number }

export class SessionCore implements Sessions {
  readonly #context: SessionContext;
  readonly #registry: Registry;
  readonly #initiator: Initiator;
  readonly #responder: Responder;
  readonly #unknownSessionRate = new TokenBucket(unknownSessionPerSecond, unknownSessionBurst);

  constructor(configuration: SessionConfiguration) {
    this.#context = new SessionContext(configuration);
    this.#registry = new Registry(this.#context);
    this.#initiator = new Initiator(this.#context, this.#registry);
    this.#responder = new Responder(this.#context, this.#registry);
  }

  get establishedCount(): number { return this.#registry.establishedCount; }
  get dropCounters(): Readonly<Record<DropReason, number>> { return this.#context.drops; }
  get tableSizes(): TableSizes {
    const { indices, timers, certificates } = this.#context;
    return { sessions: this.#registry.size, pending: this.#responder.pendingCount, indices: indices.size, timers: timers.size, certificates: certificates.size };
  }

  pollOutput(): SessionOutput | undefined { return this.#context.takeOutput(); }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#context.timers.next();
    return next === undefined ? undefined : { atMs: next.wakeAtMs, reason: next.timerName };
  }

  handleDatagram(from: SocketAddress, datagram: Uint8Array, now: Instant): void {
    if (datagram[0] === datagramTypes.transport) { this.#handleTransport(from, datagram, now); return; }
    const parsed = decodeControlDatagram(datagram);
    if (typeof parsed === 'string') { this.#context.drop(parsed); return; }
    switch (parsed.kind) {
      case 'handshake-1': { this.#responder.handleFirst(from, parsed, now); return; }
      case 'handshake-2': {
        const owner = this.#context.indices.get(parsed.receiverIndex);
        this.#initiator.handleAnswer(from, parsed, now);
        if (owner?.kind === 'attempt') this.#context.reschedule(owner.session);
        return;
      }
      case 'handshake-3': { this.#responder.handleLast(from, parsed, now); return; }
      case 'cookie': { this.#initiator.handleCookie(from, parsed.receiverIndex, parsed.cookie); return; }
      case 'unknown-session': { this.#handleUnknownSession(from, parsed.receiverIndex, parsed.token, now); return; }
    }
  }

  handleTimeout(now: Instant): void {
    const nowMs = now.monotonicMs;
    for (let item = this.#context.timers.takeDue(nowMs); item !== undefined; item = this.#context.timers.takeDue(nowMs)) {
      if (item.kind === 'pending') this.#responder.forget(item);
      else if (!item.closed) this.#run(item, now);
    }
  }

  dial(options: DialOptions, now: Instant): SessionId {
    const existing = options.anonymous ? undefined : this.#registry.findEstablished(options.identity);
    const full = this.#registry.isFull;
    const session = this.#initiator.dial(options, now);
    if (options.identity === this.#context.ownIdentity) {
      this.#context.drop('self');
      this.#registry.close(session, 'wrong-identity');
    } else if (full) {
      this.#context.drop('session-limit');
      this.#registry.close(session, 'unreachable');
    } else {
      // Should the dial meet a session that we have already, it must be known whether that one still lives.
      if (existing !== undefined) this.#probe(existing, now);
      this.#initiator.begin(session, now.monotonicMs);
      this.#context.reschedule(session);
    }
    return session.id;
  }

  redirect(sessionId: SessionId, address: SocketAddress, now: Instant): void {
    const session = this.#registry.get(sessionId);
    if (session === undefined) return;
    this.#initiator.redirect(session, address, now.monotonicMs);
    this.#context.reschedule(session);
  }

  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean {
    const session = this.#registry.get(sessionId);
    if (session?.keys === undefined || frame.length === 0 || frame.length > frameMaximumBytes) return false;
    transmitExpecting(this.#context, session, frame, now.monotonicMs);
    this.#watchVolume(session, session.keys, now.monotonicMs);
    this.#context.reschedule(session);
    return true;
  }

  close(sessionId: SessionId): void {
    const session = this.#registry.get(sessionId);
    if (session !== undefined) this.#registry.close(session, 'closed-here', true);
  }

  networkChanged(now: Instant): void {
    for (const session of this.#registry.dialled) {
      if (session.isHandshaking && session.dial !== undefined) {
        session.dial.transmissions = 0;
        this.#initiator.transmit(session, now.monotonicMs);
        this.#context.reschedule(session);
      } else {
        // What was owed on the old path is not owed on the new one: the deadline begins again.
        session.expectingSinceMs = Infinity;
        this.#probe(session, now);
      }
    }
  }

  view(sessionId: SessionId): SessionView | undefined { return this.#registry.get(sessionId)?.view(); }
  findByIdentity(identity: PublicKeyHex): SessionView | undefined { return this.#registry.findEstablished(identity)?.view(); }

  #handleTransport(from: SocketAddress, datagram: Uint8Array, now: Instant): void {
    const context = this.#context;
    if (datagram.length > datagramMaximumBytes) { context.drop('too-long'); return; }
    if (datagram.length < unknownSessionTriggerBytes) { context.drop('truncated'); return; }
    const index = transportIndex(datagram);
    const keys = context.indices.get(index);
    if (keys === undefined) { this.#answerUnknown(from, index, now.monotonicMs); return; }
    if (keys.kind !== 'keys') { context.drop('unexpected'); return; }
    const counter = transportCounter(datagram);
    if (counter === undefined) { context.drop('unauthentic'); return; }
    if (!keys.window.isFresh(counter)) { context.drop('replayed'); return; }
    const frame = keys.open(counter, datagram);
    if (frame === undefined) { context.drop('unauthentic'); return; }
    const isHighest = counter > keys.window.highest;
    keys.window.mark(counter);
    const session = this.#ownerOf(keys, from, now);
    if (session === undefined) return;
    session.receivedBytes += datagram.length;
    this.#heard(session, now.monotonicMs);
    heardFrom(context, session, from, datagram.length, isHighest && keys === session.keys, now.monotonicMs);
    this.#handleFrame(session, from, frame, now);
    this.#watchVolume(session, keys, now.monotonicMs);
    context.reschedule(session);
  }

  /** The session of keys that have just opened a packet; a handshake that waited for this becomes one, or gives a session new keys. */
  #ownerOf(keys: SessionKeys, from: SocketAddress, now: Instant): Session | undefined {
    const { owner } = keys;
    if (owner.kind === 'pending') return this.#promote(owner, keys, now);
    if (keys === owner.keys || keys === owner.previousKeys || this.#initiator.prove(owner, keys, from, now)) return owner;
    this.#context.reschedule(owner);
    return undefined;
  }

  #promote(pending: PendingHandshake, keys: SessionKeys, now: Instant): Session | undefined {
    const { peer } = pending;
    if (peer === undefined) return undefined;
    const context = this.#context;
    const live = this.#registry.findLive(peer);
    const decision = live === undefined ? 'create' : peer.certificate === undefined ? 'adopt' : decideMeeting({
      ownIdentity: context.ownIdentity, remoteIdentity: peer.certificate.identity, liveInitiatedHere: live.dial !== undefined, newInitiatedHere: false,
      sameBootId: live.peer !== undefined && equalBytes(live.peer.bootId, peer.bootId), liveIsProven: !live.silent,
    });
    if (live !== undefined && decision === 'keep') {
      context.transmit(pending.address, keys.seal(context.control.close()));
      this.#responder.forget(pending);
      this.#probe(live, now);
      return undefined;
    }
    if (live !== undefined && decision === 'replace') this.#registry.close(live, 'replaced');
    if (decision !== 'adopt' && !this.#registry.hasRoomFor(peer)) {
      context.drop('session-limit');
      context.transmit(pending.address, keys.seal(context.control.close()));
      this.#responder.forget(pending);
      return undefined;
    }
    this.#responder.release(pending);
    const session = live !== undefined && decision === 'adopt' ? live : this.#registry.create(pending.address, peer.certificate === undefined, undefined, peer.certificate?.identity);
    if (pending.echo !== undefined) session.echoes = [...(session.echoes ?? []).slice(-1), pending.echo];
    this.#registry.install(session, keys, peer, pending.address, now);
    if (peer.certificate !== undefined) this.#yieldDials(peer.certificate.identity);
    return session;
  }

  /** The other side's session survives where it has the lower identity: our own dials to it are over. */
  #yieldDials(identity: PublicKeyHex): void {
    if (lowerIsHere(this.#context.ownIdentity, identity)) return;
    for (const other of [...this.#registry.ofIdentity(identity)]) if (other.keys === undefined) this.#registry.close(other, 'replaced');
  }

  #heard(session: Session, nowMs: number): void {
    if (!heard(session, nowMs)) return;
    this.#initiator.stop(session);
    const view = session.view();
    if (view !== undefined) this.#context.emit({ kind: 'established', session: view });
    if (session.dial !== undefined) sendEcho(this.#context, session, nowMs);
  }

  #handleFrame(session: Session, from: SocketAddress, frame: Uint8Array, now: Instant): void {
    const context = this.#context;
    const read = context.control.read(frame);
    switch (read.kind) {
      case 'echo': { transmitFrame(context, session, context.control.echoAnswer(read.requestId, context.configuration.bootId, now.wallMs)); return; }
      case 'challenge': { transmitFrame(context, session, context.control.challengeAnswer(read.requestId, read.random)); return; }
      case 'close': { this.#registry.close(session, 'closed-by-peer'); return; }
      case 'own-answer': {
        if (acceptChallengeAnswer(context, session, from, read.requestId, read.payload)) return;
        const restarted = acceptEchoAnswer(context, session, read.requestId, read.payload, now);
        const view = session.view();
        if (restarted && view !== undefined) context.emit({ kind: 'restarted', session: view });
        return;
      }
      case 'other': { context.emit({ kind: 'frame', sessionId: session.id, frame }); return; }
      case 'bad': { context.drop('bad-frame'); return; }
    }
  }

  #handleUnknownSession(from: SocketAddress, index: number, token: Uint8Array, now: Instant): void {
    const context = this.#context;
    const session = this.#registry.byRemoteIndex(index);
    const { dial, keys } = session ?? {};
    if (session === undefined || dial === undefined || keys?.remoteIndex !== index || !sameAddress(from, session.address)) { context.drop('unexpected'); return; }
    const proven = keys.remoteResetToken !== undefined && !isAllZero(keys.remoteResetToken) && equalBytes(keys.remoteResetToken, token);
    if (!proven) {
      context.drop('bad-reset-token');
      if (now.monotonicMs - dial.lastHintMs < hintGapMs || session.isHandshaking) return;
      dial.lastHintMs = now.monotonicMs;
    }
    session.doubted = true;
    this.#initiator.begin(session, now.monotonicMs);
    context.reschedule(session);
  }

  #answerUnknown(from: SocketAddress, index: number, nowMs: number): void {
    const context = this.#context;
    context.drop('unknown-session');
    if (this.#unknownSessionRate.take(nowMs)) context.transmit(from, encodeUnknownSession(index, resetToken(context.crypto, context.configuration.resetSecret, index)));
  }

  #run(session: Session, now: Instant): void {
    const nowMs = now.monotonicMs;
    if (session.previousUntilMs <= nowMs) this.#registry.dropPreviousKeys(session);
    if (session.candidate !== undefined && session.candidate.expiresMs <= nowMs) session.candidate = undefined;
    if (session.dial !== undefined && session.dial.nextTransmitMs <= nowMs) this.#initiator.transmit(session, nowMs);
    if (session.keys !== undefined) {
      if (session.isIdle(nowMs)) { this.#registry.close(session, 'idle'); return; }
      if (session.rekeyAtMs <= nowMs && !session.isHandshaking) this.#initiator.begin(session, nowMs);
      if (runLiveness(this.#context, session, nowMs)) {
        session.doubted = true;
        this.#initiator.begin(session, nowMs);
      }
    }
    this.#context.reschedule(session);
  }

  #probe(session: Session, now: Instant): void {
    if (session.keys === undefined || session.silent) return;
    sendEcho(this.#context, session, now.monotonicMs);
    this.#context.reschedule(session);
  }

  #watchVolume(session: Session, keys: SessionKeys, nowMs: number): void {
    if (session.dial !== undefined && keys === session.keys && hasWornOut(keys, session.rekeyPackets)) session.rekeyAtMs = Math.min(session.rekeyAtMs, nowMs);
  }
}
