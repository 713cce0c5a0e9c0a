/**
 * Link security between two sides over UDP: who they are, and that each packet is theirs, fresh and unread by others.
 *
 * A handshake (Noise IK when the other side's device key is known, XX otherwise) yields two transport keys; a session is identified by random
 * indices, not by addresses, so that either side may move. Nothing is believed before it is authentic: a new session replaces a live one only after the
 * initiator's first transport packet, an address is used for more bytes than it sent only after it answered a challenge, and a hint
 * that a session is gone starts a new handshake while the old state lives on. Liveness is what was heard, never what was sent: an
 * answer that is overdue is asked for by echo, and after 6.5 s of silence handshakes begin, with backoff, until the link is closed
 * from here. A boot id in each handshake tells whether the other side is still the one we knew.
 *
 * This file routes inputs and keeps the tables; responder.ts answers handshakes, dialer.ts makes them, liveness.ts watches, roaming.ts follows
 * addresses, guards.ts holds what protects a listening side.
 */
import { Deadlines } from '../deadlines.ts';
import { encodeRequest, leafFrameMaximumBytes, transportOverheadBytes } from '../wire/frame.ts';
import { toHex } from '../wire/bytes.ts';
import { randomFraction } from '../random.ts';
import { decodeDatagram, encodeShort, tagBytes, transportHeaderBytes, writeTransportHeader, type Datagram } from './datagram.ts';
import { DatagramPool } from './datagram-pool.ts';
import { defaultLimits, overlapMs, responderIdleMs, roundTripsKept } from './constants.ts';
import { Dialer } from './dialer.ts';
import { resetToken, newDropCounters, UnknownSessionLimit, CertificateChecker } from './guards.ts';
import { Liveness } from './liveness.ts';
import { Responder } from './responder.ts';
import { Roaming } from './roaming.ts';
import { sameAddress, type Instant, type SocketAddress } from '../wire/types.ts';
import { viewOf, type Link, type Pending, type TransportKeys } from './link.ts';
import type { CloseReason, CreateSessions, DialOptions, DropReason, SessionConfiguration, SessionId, SessionLimits, SessionOutput, Sessions, SessionView } from './types.ts';

export const createSessions: CreateSessions = (configuration) => new SessionTable(configuration);

const noBytes = new Uint8Array(0);

/** A view of the ciphertext, whose memory then holds the plaintext: the datagram is ours, and another 32 KiB for each would keep the garbage collector busy. */
function openInPlace(keys: TransportKeys, counter: number, ciphertext: Uint8Array): Uint8Array | undefined {
  const plaintext = ciphertext.subarray(0, ciphertext.length - tagBytes);
  return keys.receive.decryptInto(counter, noBytes, ciphertext, plaintext) ? plaintext : undefined;
}

export class SessionTable implements Sessions {
  readonly configuration: SessionConfiguration;
  readonly limits: SessionLimits;
  readonly certificates: CertificateChecker;
  readonly dropCounters: Record<DropReason, number> = newDropCounters();
  readonly links = new Map<SessionId, Link>();
  /** Links by the peer's static key: device for device, also for anonymous dialers, whose key is their own for one session. */
  readonly #byStatic = new Map<string, Link>();
  readonly #byIdentity = new Map<string, Link>();
  readonly #byIndex = new Map<number, { readonly link: Link; readonly keys: TransportKeys }>();
  /** Links that are dialled from here: few, where a relay has thousands of others. */
  readonly #dialled = new Set<Link>();
  readonly #outputs: SessionOutput[] = [];
  readonly #datagrams = new DatagramPool();
  #frame: Uint8Array | undefined;
  readonly #deadlines = new Deadlines();
  readonly #dialer: Dialer;
  readonly #responder: Responder;
  readonly #liveness: Liveness;
  readonly #roaming: Roaming;
  readonly #unknownSessions = new UnknownSessionLimit();
  #nextId = 1;
  #established = 0;

  constructor(configuration: SessionConfiguration) {
    this.configuration = configuration;
    this.limits = { ...defaultLimits, ...configuration.limits };
    this.certificates = new CertificateChecker(configuration.crypto, this.limits.certificateChecksPerSecond);
    this.#dialer = new Dialer(this);
    this.#responder = new Responder(this);
    this.#liveness = new Liveness(this, this.#dialer);
    this.#roaming = new Roaming(this);
  }

  get establishedCount(): number { return this.#established; }

  /** Entries of the tables, for tests and diagnostics: nothing may grow with what has ended. */
  tableSizes(): { readonly links: number; readonly indices: number; readonly statics: number; readonly identities: number; readonly dialled: number } {
    return { links: this.links.size, indices: this.#byIndex.size, statics: this.#byStatic.size, identities: this.#byIdentity.size, dialled: this.#dialled.size };
  }

  // --- inputs -----------------------------------------------------------------------------------------------------------------

  handleDatagram(from: SocketAddress, bytes: Uint8Array, now: Instant): void {
    const datagram = decodeDatagram(bytes);
    if (typeof datagram === 'string') { this.drop(datagram); return; }
    switch (datagram.type) {
      case 'handshake-1': this.#responder.handshake1(from, datagram, now); return;
      case 'handshake-2': this.#dialer.handshake2(datagram, now); return;
      case 'handshake-3': this.#responder.handshake3(from, datagram, bytes.length, now); return;
      case 'transport': this.#transport(from, datagram, bytes.length, now); return;
      case 'cookie': this.#dialer.cookie(from, datagram.receiverIndex, datagram.cookie); return;
      case 'unknown-session': this.#liveness.unknownSession(from, this.#dialledTo(from, datagram.receiverIndex), datagram.receiverIndex, datagram.token, now); return;
    }
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      if (key === 'pending') { this.#responder.expire(now); continue; }
      const link = this.links.get(Number(key));
      if (link === undefined) continue;
      this.#dropPrevious(link, now);
      if (link.dial === undefined && now.monotonicMs - link.lastHeardMs >= responderIdleMs) this.end(link, 'idle');
      else this.#liveness.wake(link, now);
    }
  }

  dial(options: DialOptions, now: Instant): SessionId {
    const ownStatic = options.anonymous ? this.#dialer.throwaway() : this.configuration.staticKeys;
    const existing = options.anonymous ? undefined : this.#certifiedLinkWith(options.identity);
    if (existing !== undefined) { this.#adopt(existing, options, now); return existing.id; }
    const link = this.newLink(options.address, options, ownStatic, now);
    this.#dialer.attempt(link, now);
    return link.id;
  }

  redirect(sessionId: SessionId, address: SocketAddress, now: Instant): void {
    const link = this.links.get(sessionId);
    if (link === undefined) return;
    link.address = address;
    link.home = address;
    link.candidate = undefined;
    link.dialAttempts = 0;
    if (link.keys === undefined || link.silent) this.#dialer.attempt(link, now);
    else this.#liveness.doubt(link, now);
  }

  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean {
    const link = this.links.get(sessionId);
    if (link?.keys === undefined || frame.length > leafFrameMaximumBytes || frame.length === 0) return false;
    // To a silent link only what the liveness core sends: its answer decides.
    if (link.silent) return false;
    if (!this.#transmitFrame(link, frame, now)) return false;
    if (frame[0] === 1) this.#liveness.expectAnswer(link, now);
    return true;
  }

  close(sessionId: SessionId, now: Instant): void {
    const link = this.links.get(sessionId);
    if (link === undefined) return;
    if (link.keys !== undefined) this.#transmitFrame(link, encodeRequest(this.configuration.random(16), { verb: 'close', reason: 0 }), now);
    this.#forget(link);
  }

  networkChanged(now: Instant): void {
    for (const link of this.#dialled) this.#liveness.networkChanged(link, now);
  }

  frameRoom(sizeBytes: number): Uint8Array {
    if (sizeBytes > leafFrameMaximumBytes) throw new RangeError(`a frame has at most ${String(leafFrameMaximumBytes)} bytes, asked for are ${String(sizeBytes)}`);
    this.#frame ??= new Uint8Array(leafFrameMaximumBytes);
    return this.#frame.subarray(0, sizeBytes);
  }

  recycle(datagram: Uint8Array): void { this.#datagrams.giveBack(datagram); }

  pollOutput(): SessionOutput | undefined { return this.#outputs.shift(); }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: next.key === 'pending' ? 'pending handshakes' : 'session liveness' };
  }

  view(sessionId: SessionId): SessionView | undefined {
    const link = this.links.get(sessionId);
    return link === undefined || !link.announced ? undefined : viewOf(link);
  }

  findByIdentity(identity: string): SessionView | undefined {
    const link = this.#byIdentity.get(identity);
    return link?.keys === undefined || !link.announced ? undefined : viewOf(link);
  }

  // --- for the parts beside ---------------------------------------------------------------------------------------------------

  drop(reason: DropReason): void { this.dropCounters[reason] += 1; }
  output(output: SessionOutput): void { this.#outputs.push(output); }
  transmit(to: SocketAddress, datagram: Uint8Array): void { this.#outputs.push({ kind: 'transmit', to, datagram }); }
  armPending(atMs: number): void { if (this.#deadlines.at('pending') === undefined) this.#deadlines.set('pending', atMs); }

  /** Wakes the link at that time at the latest; an earlier wake that is set already stays, and finds out what is due. */
  arm(link: Link, atMs: number): void {
    const current = this.#deadlines.at(String(link.id));
    if (current === undefined || atMs < current) this.#deadlines.set(String(link.id), atMs);
  }

  /** A random index that nothing here uses. */
  freeIndex(): number {
    for (;;) {
      const bytes = this.configuration.random(4);
      const index = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
      if (!this.#byIndex.has(index) && !this.#responder.has(index) && !this.#dialer.has(index)) return index;
    }
  }

  newLink(address: SocketAddress, dial: DialOptions | undefined, ownStatic: Link['ownStatic'], now: Instant): Link {
    const link: Link = {
      id: this.#nextId, address, home: address, dial, ownStatic, ownBootId: dial?.anonymous === true ? this.configuration.random(8) : this.configuration.bootId, candidate: undefined, keys: undefined, previous: undefined, dialling: undefined, dialAttempts: 0, nextDialMs: 0, wrongIdentities: 0, refusal: 'wrong-identity',
      remoteCertificate: undefined, remoteStatic: noBytes, remoteCapabilities: [], remoteBootId: noBytes, announced: false, forgotten: false, silent: false, lastHeardMs: now.monotonicMs,
      jitter: randomFraction(this.configuration.random), expectingSinceMs: undefined, echo: undefined, echoesUnanswered: 0, nextEchoMs: Number.POSITIVE_INFINITY, doubted: false, unanswered: undefined, lastHintMs: Number.NEGATIVE_INFINITY,
      roundTripsMs: undefined, smoothedRoundTripMs: undefined, clockOffsetMs: undefined, sentBytes: 0, receivedBytes: 0,
    };
    this.#nextId += 1;
    this.links.set(link.id, link);
    if (dial !== undefined) this.#dialled.add(link);
    return link;
  }

  linkOf(remoteStatic: Uint8Array, identity: string | undefined): Link | undefined {
    const known = this.#byStatic.get(toHex(remoteStatic));
    if (known !== undefined || identity === undefined) return known;
    for (const link of this.#dialled) if (link.keys === undefined && link.dial?.identity === identity && !link.dial.anonymous) return link;
    return undefined;
  }

  get isFull(): boolean { return this.links.size >= this.limits.sessions; }

  /**
   * New transport keys for a link: current from now on, the old ones still read for a while. When both sides dialled at once, both sets exist on
   * both sides: the one initiated by the lower identity key stays current, on either side by the same rule, so one session remains.
   */
  install(link: Link, keys: TransportKeys, peer: Pick<Pending, 'certificate' | 'remoteStatic' | 'capabilities' | 'bootId'>, now: Instant): void {
    const before = link.keys;
    // Forgotten counts as restarted although the boot id is the same: whatever was bound to the old session there has gone with it.
    const restarted = link.announced && (link.forgotten || toHex(link.remoteBootId) !== toHex(peer.bootId));
    link.forgotten = false;
    const hadKeys = before !== undefined;
    this.#unindexIdentity(link);
    // A handshake without certificate under the same device key does not take the identity away.
    if (peer.certificate !== undefined || toHex(peer.remoteStatic) !== toHex(link.remoteStatic)) link.remoteCertificate = peer.certificate;
    link.remoteStatic = peer.remoteStatic;
    link.remoteCapabilities = peer.capabilities;
    link.remoteBootId = peer.bootId;
    this.#indexIdentity(link);
    this.#byIndex.set(keys.localIndex, { link, keys });
    if (before !== undefined && !restarted && this.#staysCurrent(link, before, keys, now)) {
      this.#keepPrevious(link, keys, now);
      return;
    }
    if (before !== undefined) this.#keepPrevious(link, before, now);
    link.keys = keys;
    if (!hadKeys) this.#established += 1;
    if (restarted) { link.roundTripsMs = undefined; link.smoothedRoundTripMs = undefined; }
    const wasSilent = link.silent;
    this.#liveness.revived(link, now);
    if (!link.announced || (wasSilent && !restarted)) { link.announced = true; this.output({ kind: 'established', session: viewOf(link) }); }
    else if (restarted) this.output({ kind: 'restarted', session: viewOf(link) });
  }

  /** An authentic packet came from an address that is not the link's. */
  heardFrom(link: Link, from: SocketAddress, sizeBytes: number, now: Instant): void { this.#roaming.heardFrom(link, from, sizeBytes, now); }

  /** The echo that proves a new session to its other side. */
  greet(link: Link, now: Instant): void { this.#liveness.echo(link, now); }

  /** Sends under the current keys, to the candidate address as far as its bytes reach, else to the validated one. */
  sendFrame(link: Link, frame: Uint8Array, now: Instant): boolean { return this.#transmitFrame(link, frame, now); }

  sendFrameTo(link: Link, to: SocketAddress, frame: Uint8Array): void {
    const keys = link.keys;
    if (keys === undefined) return;
    const datagram = this.#seal(keys, frame);
    link.sentBytes += datagram.length;
    this.transmit(to, datagram);
  }

  end(link: Link, reason: CloseReason): void {
    this.#forget(link);
    this.output({ kind: 'closed', sessionId: link.id, reason });
  }

  resetTokenFor(index: number): Uint8Array { return resetToken(this.configuration.crypto, this.configuration.resetSecret, index); }

  recordRoundTrip(link: Link, roundTripMs: number | undefined): void {
    const ring = link.roundTripsMs ?? [];
    ring.push(roundTripMs);
    if (ring.length > roundTripsKept) ring.shift();
    link.roundTripsMs = ring;
    if (roundTripMs !== undefined) link.smoothedRoundTripMs = link.smoothedRoundTripMs === undefined ? roundTripMs : link.smoothedRoundTripMs * 0.875 + roundTripMs * 0.125;
    this.output({ kind: 'measured', sessionId: link.id });
  }

  // --- transport ----------------------------------------------------------------------------------------------------------------

  #transport(from: SocketAddress, datagram: Extract<Datagram, { type: 'transport' }>, sizeBytes: number, now: Instant): void {
    const found = this.#byIndex.get(datagram.receiverIndex);
    if (found === undefined) {
      const promoted = this.#responder.firstTransport(from, datagram, sizeBytes, now);
      if (promoted === 'unknown') { this.#answerUnknown(from, datagram.receiverIndex, sizeBytes, now); return; }
      if (promoted === undefined) return;
      promoted.link.receivedBytes += sizeBytes;
      this.#handlePlaintext(promoted.link, from, promoted.plaintext, now);
      return;
    }
    const { link, keys } = found;
    if (!keys.window.isFresh(datagram.counter)) { this.drop('replayed'); return; }
    const plaintext = openInPlace(keys, datagram.counter, datagram.ciphertext);
    if (plaintext === undefined) { this.drop('unauthentic'); return; }
    const newest = datagram.counter > keys.window.highest;
    keys.window.accept(datagram.counter);
    keys.confirmed = true;
    link.receivedBytes += sizeBytes;
    if (newest && keys === link.keys) this.#roaming.heardFrom(link, from, sizeBytes, now);
    this.#liveness.heard(link, keys, newest, now);
    this.#handlePlaintext(link, from, plaintext, now);
  }

  #handlePlaintext(link: Link, from: SocketAddress, frame: Uint8Array, now: Instant): void {
    if (frame.length < 18) { this.drop('bad-frame'); return; }
    if (this.#liveness.handleFrame(link, frame, now) || this.#roaming.handleFrame(link, from, frame)) return;
    // A close was handled by liveness and the link may be gone.
    if (this.links.get(link.id) === link && link.announced) this.output({ kind: 'frame', sessionId: link.id, frame });
  }

  #transmitFrame(link: Link, frame: Uint8Array, now: Instant): boolean {
    const keys = link.keys;
    if (keys === undefined) return false;
    const sizeBytes = frame.length + transportOverheadBytes;
    const to = this.#roaming.destination(link, sizeBytes, now);
    const datagram = this.#seal(keys, frame);
    link.sentBytes += datagram.length;
    this.transmit(to, datagram);
    return true;
  }

  #seal(keys: TransportKeys, frame: Uint8Array): Uint8Array {
    const counter = keys.sendCounter;
    keys.sendCounter += 1;
    const datagram = this.#datagrams.take(frame.length + transportOverheadBytes);
    writeTransportHeader(datagram, keys.remoteIndex, counter);
    keys.send.encryptInto(counter, noBytes, frame, datagram.subarray(transportHeaderBytes));
    return datagram;
  }

  #answerUnknown(from: SocketAddress, index: number, sizeBytes: number, now: Instant): void {
    this.drop('unknown-session');
    const answer = encodeShort(6, index, this.resetTokenFor(index));
    if (sizeBytes < transportOverheadBytes || answer.length > sizeBytes || !this.#unknownSessions.allows(now)) return;
    this.transmit(from, answer);
  }

  #staysCurrent(link: Link, current: TransportKeys, fresh: TransportKeys, now: Instant): boolean {
    const theirs = link.remoteCertificate?.identity;
    if (theirs === undefined || current.initiator === fresh.initiator || now.monotonicMs - current.establishedMs > overlapMs || link.silent) return false;
    const oursIsLower = this.#dialer.ownIdentity < theirs;
    return current.initiator === oursIsLower;
  }

  #keepPrevious(link: Link, keys: TransportKeys, now: Instant): void {
    this.#retire(link.previous?.keys);
    link.previous = { keys, untilMs: now.monotonicMs + overlapMs };
    this.arm(link, link.previous.untilMs);
  }

  #dropPrevious(link: Link, now: Instant): void {
    if (link.previous === undefined) return;
    // As long as nothing came under the new keys, the other side may have none but the old ones.
    if (link.keys?.confirmed === false && link.previous.untilMs <= now.monotonicMs) link.previous = { keys: link.previous.keys, untilMs: now.monotonicMs + overlapMs };
    if (link.previous.untilMs > now.monotonicMs) { this.arm(link, link.previous.untilMs); return; }
    this.#retire(link.previous.keys);
    link.previous = undefined;
  }

  #retire(keys: TransportKeys | undefined): void {
    if (keys === undefined) return;
    this.#byIndex.delete(keys.localIndex);
    keys.send.destroy();
    keys.receive.destroy();
  }

  #dialledTo(address: SocketAddress, remoteIndex: number): Link | undefined {
    // By address too: indices are chosen by the other sides, and two of them may choose alike.
    for (const link of this.#dialled) if (link.keys?.remoteIndex === remoteIndex && sameAddress(link.address, address)) return link;
    return undefined;
  }

  #certifiedLinkWith(identity: string): Link | undefined {
    const known = this.#byIdentity.get(identity);
    if (known !== undefined) return known;
    for (const link of this.#dialled) if (link.dial?.identity === identity && !link.dial.anonymous) return link;
    return undefined;
  }

  /** One session with an identity, whoever began it: a dial takes over the one that stands and asks whether it still lives. */
  #adopt(link: Link, options: DialOptions, now: Instant): void {
    link.dial = options;
    link.home = options.address;
    this.#dialled.add(link);
    if (link.keys === undefined || link.silent) return;
    this.output({ kind: 'established', session: viewOf(link) });
    this.#liveness.doubt(link, now);
  }

  /** Anonymous dials are in no index: a handshake of the other side's, which knows us by name, must not end in them. */
  #indexIdentity(link: Link): void {
    if (link.dial?.anonymous === true) return;
    const other = this.#byStatic.get(toHex(link.remoteStatic));
    if (other !== undefined && other !== link) this.end(other, 'replaced');
    this.#byStatic.set(toHex(link.remoteStatic), link);
    if (link.remoteCertificate !== undefined) this.#byIdentity.set(link.remoteCertificate.identity, link);
  }

  #unindexIdentity(link: Link): void {
    if (this.#byStatic.get(toHex(link.remoteStatic)) === link) this.#byStatic.delete(toHex(link.remoteStatic));
    const identity = link.remoteCertificate?.identity;
    if (identity !== undefined && this.#byIdentity.get(identity) === link) this.#byIdentity.delete(identity);
  }

  #forget(link: Link): void {
    this.links.delete(link.id);
    this.#dialled.delete(link);
    this.#unindexIdentity(link);
    this.#dialer.abandon(link);
    this.#retire(link.keys);
    this.#retire(link.previous?.keys);
    if (link.keys !== undefined) this.#established -= 1;
    this.#deadlines.clear(String(link.id));
  }
}
