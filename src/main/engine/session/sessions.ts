/**
 * Link security between two sides over UDP: who they are, and that each packet is theirs, fresh and unread by others.
 *
 * A handshake (Noise IK when the other side's device key is known, XX otherwise) yields two transport keys; a session is identified by random
 * indices, not by addresses, so that either side may move. Nothing is believed before it is authentic: a new session replaces a live one only after the
 * initiator's first transport packet, an address is used for more bytes than it sent only after it answered a challenge, and a hint
 * that a session is gone starts a new handshake while the old state lives on. Liveness is what was heard, never what was sent: an
 * answer that is overdue is asked for by echo, and after 6.5 s of silence handshakes begin, with backoff and short questions between them (knocking.ts), until the link is closed
 * from here. A boot id in each handshake tells whether the other side is still the one we knew.
 *
 * This file routes inputs; link-table.ts keeps the sessions, key-sets.ts their keys, transport.ts seals and opens what goes under them, responder.ts answers handshakes, dialer.ts makes them, liveness.ts watches, roaming.ts follows
 * addresses, paths.ts keeps several, guards.ts holds what protects a listening side.
 */
import { Deadlines } from '../deadlines.ts';
import { encodeRequest, leafFrameMaximumBytes } from '../wire/frame.ts';
import { randomFraction } from '../random.ts';
import { decodeDatagram } from './datagram.ts';
import { defaultLimits, responderIdleMs, roundTripsKept } from './constants.ts';
import { createDetour, Detours } from './detour.ts';
import { Dialer } from './dialer.ts';
import { resetToken, newDropCounters, CertificateChecker } from './guards.ts';
import { KeySets } from './key-sets.ts';
import { LinkTable } from './link-table.ts';
import { createPathSet } from './path-set.ts';
import { Paths } from './paths.ts';
import { isCircuitAddress, isTunnelFrame } from '../circuits/tunnel.ts';
import { Liveness } from './liveness.ts';
import { Responder } from './responder.ts';
import { Roaming } from './roaming.ts';
import { Transport } from './transport.ts';
import { createLink, isDoubtfulPlace, viewOf, type Link, type Pending, type TransportKeys } from './link.ts';
import { sameAddress, type Instant, type SocketAddress } from '../wire/types.ts';
import type { CloseReason, CreateSessions, DialOptions, DropReason, PathView, SessionConfiguration, SessionId, SessionLimits, SessionOutput, Sessions, SessionView } from './types.ts';

export const createSessions: CreateSessions = (configuration) => new SessionTable(configuration);

export class SessionTable implements Sessions {
  readonly configuration: SessionConfiguration;
  readonly limits: SessionLimits;
  readonly certificates: CertificateChecker;
  readonly dropCounters: Record<DropReason, number> = newDropCounters();
  readonly #outputs: SessionOutput[] = [];
  readonly #table = new LinkTable();
  readonly #deadlines = new Deadlines();
  readonly #dialer: Dialer;
  readonly #detours: Detours;
  readonly #responder: Responder;
  readonly #liveness: Liveness;
  readonly #roaming: Roaming;
  readonly #paths: Paths;
  readonly #transport: Transport;
  readonly #keySets: KeySets;
  #nextId = 1;

  constructor(configuration: SessionConfiguration) {
    this.configuration = configuration;
    this.limits = { ...defaultLimits, ...configuration.limits };
    this.certificates = new CertificateChecker(configuration.crypto, this.limits.certificateChecksPerSecond);
    this.#dialer = new Dialer(this);
    this.#detours = new Detours(this, this.#dialer);
    this.#responder = new Responder(this);
    this.#liveness = new Liveness(this, this.#dialer, this.#detours);
    this.#roaming = new Roaming(this);
    this.#paths = new Paths(this);
    this.#transport = new Transport(this, this.#table, this.#responder, this.#liveness, this.#roaming, this.#paths);
    this.#keySets = new KeySets(this, this.#table, this.#dialer.ownIdentity, (link, now) => { this.#liveness.revived(link, now); });
  }

  get establishedCount(): number { return this.#keySets.establishedCount; }

  get dialled(): Iterable<Link> { return this.#table.dialled; }
  get links(): ReadonlyMap<SessionId, Link> { return this.#table.links; }

  /** Entries of the tables, for tests and diagnostics: nothing may grow with what has ended. */
  tableSizes(): LinkTable['sizes'] { return this.#table.sizes; }

  // --- inputs -----------------------------------------------------------------------------------------------------------------

  handleDatagram(from: SocketAddress, bytes: Uint8Array, now: Instant): void {
    const datagram = decodeDatagram(bytes);
    if (typeof datagram === 'string') { this.drop(datagram); return; }
    switch (datagram.type) {
      case 'handshake-1': this.#responder.handshake1(from, datagram, now); return;
      case 'handshake-2': this.#dialer.handshake2(from, datagram, this.#detours, now); return;
      case 'handshake-3': this.#responder.handshake3(from, datagram, bytes.length, now); return;
      case 'transport': this.#transport.receive(from, datagram, bytes.length, now); return;
      case 'cookie': this.#dialer.cookie(from, datagram.receiverIndex, datagram.cookie); return;
      case 'unknown-session': this.#liveness.unknownSession(from, this.#table.dialledTo(from, datagram.receiverIndex), datagram.receiverIndex, datagram.token, now); return;
    }
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      if (key === 'pending') { this.#responder.expire(now); continue; }
      const link = this.#table.links.get(Number(key));
      if (link === undefined) continue;
      this.#keySets.dropPrevious(link, now);
      if (link.dial === undefined && now.monotonicMs >= link.lastHeardMs + responderIdleMs) this.end(link, 'idle');
      else {
        this.#liveness.wake(link, now);
        if (link.paths !== undefined && this.#table.links.has(link.id)) this.#paths.wake(link, link.paths, now);
      }
    }
  }

  dial(options: DialOptions, now: Instant): SessionId {
    const ownStatic = options.anonymous ? this.#dialer.throwaway() : this.configuration.staticKeys;
    const existing = options.anonymous ? undefined : this.#table.certifiedLinkWith(options.identity);
    if (existing !== undefined) { this.#adopt(existing, options, now); return existing.id; }
    const link = this.newLink(options.address, options, ownStatic, now);
    this.#detours.wanted(link, now);
    this.#dialer.attempt(link, now);
    return link.id;
  }

  redirect(sessionId: SessionId, address: SocketAddress, now: Instant): void {
    const link = this.#table.links.get(sessionId);
    if (link === undefined) return;
    const isElsewhere = !sameAddress(address, link.home);
    link.address = address;
    link.home = address;
    link.candidate = undefined;
    if (isElsewhere) this.#hasMoved(link);
    if (!isElsewhere || !isDoubtfulPlace(link)) link.dialAttempts = 0;
    this.#detours.wanted(link, now);
    if (link.keys === undefined || link.silent) this.#dialer.attempt(link, now);
    else this.#liveness.doubt(link, now);
  }

  goAround(sessionId: SessionId, around: SocketAddress): void {
    const link = this.#table.links.get(sessionId);
    if (link?.dial === undefined || link.paths !== undefined) return;
    if (link.detour === undefined) link.detour = createDetour(around, Infinity);
    else if (!sameAddress(link.detour.address, around)) {
      link.detour.address = around;
      link.detour.refusedUntilMs = -Infinity;
    }
  }

  connectionLost(address: SocketAddress, now: Instant): void {
    for (const link of this.#table.dialledAt(address)) {
      if (link.keys === undefined || link.silent) continue;
      this.#detours.silent(link, now);
      this.#liveness.doubt(link, now);
      // The first pays for the challenge that the other side owes a new address, and for more than that.
      this.#liveness.echo(link, now);
    }
  }

  send(sessionId: SessionId, frame: Uint8Array, now: Instant): boolean {
    const link = this.#table.links.get(sessionId);
    if (link?.keys === undefined || frame.length > leafFrameMaximumBytes || frame.length === 0) return false;
    // To a silent link only what the liveness core sends: its answer decides.
    if (link.silent) return false;
    if (!this.#transport.send(link, frame, now)) return false;
    // Of what goes through a circuit the other end answers something before long, and nobody else would notice that our relay is out of reach.
    if (frame[0] === 1 || (link.detour !== undefined && isTunnelFrame(frame))) this.#liveness.expectAnswer(link, now);
    return true;
  }

  close(sessionId: SessionId, now: Instant): void {
    const link = this.#table.links.get(sessionId);
    if (link === undefined) return;
    if (link.keys !== undefined) this.#transport.send(link, encodeRequest(this.configuration.random(16), { verb: 'close', reason: 0 }), now);
    this.#forget(link);
  }

  closeAll(now: Instant): void { for (const sessionId of [...this.#table.links.keys()]) this.close(sessionId, now); }

  ask(sessionId: SessionId, now: Instant): void {
    const link = this.#table.links.get(sessionId);
    if (link?.dial !== undefined && link.keys !== undefined && !link.silent) this.#liveness.networkChanged(link, now);
  }

  networkChanged(now: Instant): void {
    for (const link of this.#table.withPaths) if (link.paths !== undefined && link.keys !== undefined) this.#paths.networkChanged(link, link.paths, now);
    for (const link of this.#table.dialled) this.#liveness.networkChanged(link, now);
  }

  frameRoom(sizeBytes: number): Uint8Array { return this.#transport.frameRoom(sizeBytes); }
  recycle(datagram: Uint8Array): void { this.#transport.recycle(datagram); }

  pollOutput(): SessionOutput | undefined { return this.#outputs.shift(); }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: next.key === 'pending' ? 'pending handshakes' : 'session liveness' };
  }

  probe(sessionId: SessionId, address: SocketAddress, now: Instant): void {
    const link = this.#table.links.get(sessionId);
    if (link?.paths !== undefined) this.#paths.probe(link, link.paths, address, now);
  }

  dropPath(sessionId: SessionId, address: SocketAddress, now: Instant): void {
    const link = this.#table.links.get(sessionId);
    if (link?.paths !== undefined) this.#paths.drop(link, link.paths, address, now);
  }

  concerns(sessionId: SessionId, from: SocketAddress, bytes: Uint8Array): boolean {
    const link = this.#table.links.get(sessionId);
    if (link?.paths === undefined) return false;
    for (const path of link.paths.paths) if (path.provedMs !== undefined && sameAddress(path.address, from)) return true;
    const datagram = decodeDatagram(bytes);
    return typeof datagram !== 'string' && datagram.type === 'transport' && this.#table.keysAt(datagram.receiverIndex)?.link === link;
  }

  paths(sessionId: SessionId, now: Instant): readonly PathView[] {
    const set = this.#table.links.get(sessionId)?.paths;
    return set === undefined ? [] : this.#paths.views(set, now);
  }

  view(sessionId: SessionId): SessionView | undefined {
    const link = this.#table.links.get(sessionId);
    return link === undefined || !link.announced ? undefined : viewOf(link);
  }

  hasAnswered(sessionId: SessionId): boolean { return this.#table.links.get(sessionId)?.answered === true; }

  findByIdentity(identity: string): SessionView | undefined {
    const link = this.#table.withIdentity(identity);
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
      if (this.#table.keysAt(index) === undefined && !this.#responder.has(index) && !this.#dialer.has(index)) return index;
    }
  }

  newLink(address: SocketAddress, dial: DialOptions | undefined, ownStatic: Link['ownStatic'], now: Instant): Link {
    const { random, bootId } = this.configuration;
    const link = createLink({ id: this.#nextId, address, dial, ownStatic, ownBootId: dial?.anonymous === true ? random(8) : bootId, jitter: randomFraction(random), paths: this.#hasSeveralPaths(address, dial) ? createPathSet() : undefined }, now);
    this.#nextId += 1;
    if (dial?.around !== undefined && link.paths === undefined) link.detour = createDetour(dial.around, Infinity);
    this.#table.add(link);
    return link;
  }

  linkOf(remoteStatic: Uint8Array, identity: string | undefined): Link | undefined { return this.#table.linkOf(remoteStatic, identity); }

  get isFull(): boolean { return this.#table.links.size >= this.limits.sessions; }

  install(link: Link, keys: TransportKeys, peer: Pick<Pending, 'certificate' | 'remoteStatic' | 'capabilities' | 'bootId'>, now: Instant): void {
    this.#keySets.install(link, keys, peer, now);
  }

  /** An authentic packet came from an address that is not the link's. */
  heardFrom(link: Link, from: SocketAddress, sizeBytes: number, now: Instant): void {
    if (link.paths === undefined) this.#roaming.heardFrom(link, from, sizeBytes, now);
    else {
      this.#paths.heardFrom(link, link.paths, from, sizeBytes, now);
      this.#paths.handled(link, link.paths, from, now);
    }
  }

  /** A handshake with them was completed at that address. */
  provedAt(link: Link, address: SocketAddress, now: Instant): void {
    if (link.paths === undefined) link.address = address;
    else this.#paths.proved(link, link.paths, address, undefined, now);
  }

  /** Who is not listened to everywhere may speak from there. */
  acceptsFrom(address: SocketAddress): boolean {
    const { listening, inCircuits } = this.configuration;
    return listening || (inCircuits === true && (isCircuitAddress(address) || this.#table.hasPathAt(address)));
  }

  /** Who is not listened to may have said that they would come; who it is shows later. */
  mayExpectAt(address: SocketAddress, identity: string | undefined, now: Instant): boolean { return this.configuration.expects?.(address, identity, now) === true; }

  /** A path is where a session's own other side is heard, and not for others: those come by a circuit that was opened for them, or were expected. */
  mayBeginAt(address: SocketAddress, identity: string | undefined, now: Instant): boolean {
    return this.configuration.listening || isCircuitAddress(address) || (identity !== undefined && this.mayExpectAt(address, identity, now));
  }

  /** The echo that proves a new session to its other side. */
  greet(link: Link, now: Instant): void { this.#liveness.echo(link, now); }

  sendFrame(link: Link, frame: Uint8Array, now: Instant): boolean { return this.#transport.send(link, frame, now); }
  sendFrameTo(link: Link, to: SocketAddress, frame: Uint8Array): void { this.#transport.sendTo(link, to, frame); }

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

  /** Between two visors. Whoever comes to one that does not listen is another visor. */
  #hasSeveralPaths(address: SocketAddress, dial: DialOptions | undefined): boolean {
    return isCircuitAddress(address) || (dial === undefined ? !this.configuration.listening : dial.announced === true);
  }

  /** One session with an identity, whoever began it: a dial takes over the one that stands and asks whether it still lives. */
  #adopt(link: Link, options: DialOptions, now: Instant): void {
    link.dial = options;
    link.home = options.address;
    if (options.around !== undefined && link.paths === undefined) link.detour ??= createDetour(options.around, Infinity);
    this.#table.setDialled(link);
    if (link.keys === undefined || link.silent) return;
    this.output({ kind: 'established', session: viewOf(link) });
    this.#liveness.doubt(link, now);
  }

  #hasMoved(link: Link): void {
    link.isPlaceProved = false;
    if (!isDoubtfulPlace(link)) return;
    // Whoever is led from one place to the next is not to begin with short pauses at each.
    link.knocking = undefined;
    this.#dialer.abandon(link);
  }

  #forget(link: Link): void {
    this.#table.remove(link);
    this.#dialer.abandon(link);
    this.#keySets.forget(link);
    this.#deadlines.clear(String(link.id));
  }
}
