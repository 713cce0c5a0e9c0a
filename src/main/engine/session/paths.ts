/**
 * The paths of sessions that have more than one: between two visors, by the circuit over which they met, and by whatever was found since.
 *
 * A session belongs to two devices and not to addresses: numbers, keys, requests and transfers live on while the path below them changes. A path is an address of
 * the other side that has answered a challenge of ours; an address from which something authentic came is challenged, and gets no more bytes than it sent until then.
 * The best is used: nearer tiers first, then the shorter round trip, but not for a few milliseconds' sake. Each is asked again and again whether it still answers:
 * while something is sent every second, otherwise as seldom as keeps a NAT's mapping alive. Hearing the other side is not enough, since one direction may be dead.
 *
 * A change loses nothing. When a better path is found, what is sent goes by both for a while; when the one in use does not answer for two seconds, it goes by the next
 * best as well, until one of them answers; what comes twice is the same datagram with the same number and is dropped as replayed. After 15 seconds without an answer a
 * path is forgotten. When the network changes every path is in doubt at once.
 *
 * An answer proves the address that was asked, wherever it comes from: it shows that the other side hears us there (as RFC 9000 section 8.2.3 has it). Behind a router that
 * gives each conversation its own port it never comes from there, and from another address each time. So what is said about paths alone, challenges and answers, makes no
 * address worth a challenge of its own: two such routers would have both sides chase each other's newest port for ever.
 */
import { equalBytes } from '../wire/bytes.ts';
import { decodeFrame, encodeRequest, encodeResponse, requestHeaderBytes, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import { askAgainMs, askWhileSendingMs, doubtMs, overlapMinimumMs, pathDeadMs, pathHeartbeatIdleMs, pathHeartbeatMs, pathsMaximum, pathTrafficMs, probeLifetimeMs, probesMaximum, roundTripStickinessMs } from './path-constants.ts';
import { sameAddress, type Instant, type SocketAddress } from '../wire/types.ts';
import { noLongerAwaited, type Link } from './link.ts';
import type { Path, PathSet } from './path-set.ts';
import type { SessionTable } from './sessions.ts';
import type { PathView } from './types.ts';

const randomBytes = 8;
const challengeBytes = transportOverheadBytes + requestHeaderBytes + randomBytes;
const answerBytes = transportOverheadBytes + responseHeaderBytes + randomBytes;
const verbs = { challenge: 2, probe: 24 };
/** No answer for 1.5 s: slower than any path that is worth being used. */
const lostAfterAsks = 2;

export class Paths {
  readonly #table: SessionTable;

  constructor(table: SessionTable) { this.#table = table; }

  /** Where the next packet goes, and where a copy of it goes too. */
  destination(link: Link, set: PathSet, now: Instant): { readonly to: SocketAddress; readonly copyTo: SocketAddress | undefined } {
    set.trafficMs = now.monotonicMs;
    const { current } = set;
    if (current === undefined) return { to: link.address, copyTo: undefined };
    if (current.asked === undefined && now.monotonicMs - current.answeredMs > askWhileSendingMs) this.#ask(link, current, now);
    const second = this.#isDoubtful(current, now) ? this.#best(set, now, current) : now.monotonicMs < set.overlapUntilMs ? set.overlap : undefined;
    return { to: current.address, copyTo: second === undefined || second === current ? undefined : second.address };
  }

  /** An authentic packet came from there; `frame` is what was in it, if it was no handshake. */
  heardFrom(link: Link, set: PathSet, from: SocketAddress, sizeBytes: number, now: Instant, frame?: Uint8Array): void {
    const known = find(set, from);
    const isAboutPaths = isAnswer(frame) || isChallenge(frame);
    if (known === undefined && (isAnswer(frame) || this.#table.configuration.mayUse?.(from) === false || (set.paths.length >= pathsMaximum && !forgetUnproved(set)))) return;
    const path = known ?? this.#add(set, from, now);
    path.heardMs = now.monotonicMs;
    if (path.provedMs !== undefined) return;
    path.receivedBytes += sizeBytes;
    this.#table.arm(link, now.monotonicMs + probeLifetimeMs);
    if (!isAboutPaths && path.asked === undefined) this.#table.output({ kind: 'path', sessionId: link.id, change: 'heard', address: from });
  }

  /** What came from there has been handled, and answered if it was a probe: with what is left of the budget it is asked. The other way round the answer might not be proof yet. */
  handled(link: Link, set: PathSet, from: SocketAddress, now: Instant, frame?: Uint8Array): void {
    const path = find(set, from);
    if (path !== undefined && path.provedMs === undefined && link.keys !== undefined && !isAnswer(frame) && !isChallenge(frame)) this.#challengeWithin(link, path, now);
  }

  /** A handshake was completed by way of it. */
  proved(link: Link, set: PathSet, address: SocketAddress, roundTripMs: number | undefined, now: Instant): void {
    const path = find(set, address) ?? (this.#makeRoom(link, set, address, now) ? this.#add(set, address, now) : undefined);
    if (path !== undefined) this.#prove(link, set, path, roundTripMs, now);
  }

  /**
   * Asks whether the other side is there. An address that is a path already is not asked, unless it has fallen silent: where our own router forgot its mappings the other side
   * is where it was, and challenges, seldomer and seldomer, are not there at the moment when its router lets them in.
   */
  probe(link: Link, set: PathSet, address: SocketAddress, now: Instant): void {
    const known = find(set, address);
    if (link.keys === undefined || (known?.provedMs !== undefined && !this.#isDoubtful(known, now)) || this.#table.configuration.mayUse?.(address) === false) return;
    set.probes = set.probes.filter((probe) => now.monotonicMs - probe.sentMs < probeLifetimeMs);
    if (set.probes.length >= probesMaximum) set.probes.shift();
    const probe = { address, requestId: this.#table.configuration.random(16), random: this.#table.configuration.random(randomBytes), sentMs: now.monotonicMs };
    set.probes.push(probe);
    this.#table.sendFrameTo(link, address, encodeRequest(probe.requestId, { verb: 'probe', random: probe.random }));
  }

  /** Nothing goes that way any more. */
  drop(link: Link, set: PathSet, address: SocketAddress, now: Instant): void {
    const path = find(set, address);
    if (path !== undefined) this.#remove(link, set, path, now);
  }

  /** True for challenges and probes, and for the answers to ours. */
  handleFrame(link: Link, set: PathSet, from: SocketAddress, frame: Uint8Array, now: Instant): boolean {
    if (frame[0] === 1 && (frame[1] === verbs.challenge || frame[1] === verbs.probe)) {
      const request = decodeFrame(frame);
      if (request?.type === 'request' && (request.body.verb === 'challenge' || request.body.verb === 'probe')) this.#answer(link, set, from, request.requestId, request.body.random);
      else this.#table.drop('bad-frame');
      return true;
    }
    if (frame[0] !== 2 || frame.length !== responseHeaderBytes + randomBytes) return false;
    const requestId = frame.subarray(1, 17);
    const random = frame.subarray(responseHeaderBytes);
    const asked = set.paths.find((path) => path.asked !== undefined && equalBytes(path.asked.requestId, requestId));
    if (asked?.asked !== undefined) {
      if (equalBytes(asked.asked.random, random)) this.#prove(link, set, asked, now.monotonicMs - asked.asked.sentMs, now);
      return true;
    }
    const probe = set.probes.find((one) => equalBytes(one.requestId, requestId));
    if (probe === undefined) return false;
    if (equalBytes(probe.random, random)) this.proved(link, set, probe.address, now.monotonicMs - probe.sentMs, now);
    return true;
  }

  /** All that is due. Arms what is next. */
  wake(link: Link, set: PathSet, now: Instant): void {
    if (link.keys === undefined) return;
    for (const path of [...set.paths]) {
      if (path.provedMs === undefined) {
        // The very time that was armed: a difference of fractions may be rounded to less than the lifetime, and the same instant come due for ever.
        if (now.monotonicMs >= path.heardMs + probeLifetimeMs) remove(set, path);
        continue;
      }
      if (path.askedSinceMs !== undefined && now.monotonicMs - path.askedSinceMs >= pathDeadMs) { this.#remove(link, set, path, now); continue; }
      if (now.monotonicMs >= path.nextAskMs) this.#ask(link, path, now);
    }
    this.#choose(link, set, now);
    let nextMs = Infinity;
    for (const path of set.paths) {
      nextMs = Math.min(nextMs, path.provedMs === undefined ? path.heardMs + probeLifetimeMs : path.nextAskMs);
      if (path.askedSinceMs !== undefined) for (const atMs of [path.askedSinceMs + doubtMs, path.askedSinceMs + pathDeadMs]) if (atMs > now.monotonicMs) nextMs = Math.min(nextMs, atMs);
    }
    if (nextMs < Infinity) this.#table.arm(link, nextMs);
  }

  /** Whatever was proved was proved in another network. */
  networkChanged(link: Link, set: PathSet, now: Instant): void {
    set.probes = [];
    for (const path of set.paths) {
      if (path.provedMs === undefined) continue;
      path.isShaken = true;
      if (path.asked !== undefined) noLongerAwaited(link, path.asked.requestId);
      path.asked = undefined;
      this.#ask(link, path, now);
    }
    this.#choose(link, set, now);
  }

  views(set: PathSet, now: Instant): readonly PathView[] {
    return set.paths.flatMap((path) => path.provedMs === undefined ? [] : [{
      address: path.address, tier: path.tier, isCurrent: path === set.current, isDoubtful: this.#isDoubtful(path, now), provedMs: path.provedMs, answeredMs: path.answeredMs, smoothedRoundTripMs: path.smoothedRoundTripMs,
    }]);
  }

  #add(set: PathSet, address: SocketAddress, now: Instant): Path {
    const path: Path = {
      address, tier: this.#table.configuration.tierOf?.(address) ?? 0, provedMs: undefined, heardMs: now.monotonicMs, answeredMs: Number.NEGATIVE_INFINITY, asked: undefined, askedSinceMs: undefined, asksUnanswered: 0,
      nextAskMs: Infinity, isShaken: false, smoothedRoundTripMs: undefined, receivedBytes: 0, sentBytes: 0,
    };
    set.paths.push(path);
    return path;
  }

  #prove(link: Link, set: PathSet, path: Path, roundTripMs: number | undefined, now: Instant): void {
    const isNew = path.provedMs === undefined;
    // Of a question that was asked more than once it is not known which one was answered.
    if (roundTripMs !== undefined && path === set.current && path.asksUnanswered <= 1) this.#table.recordRoundTrip(link, roundTripMs);
    path.provedMs ??= now.monotonicMs;
    path.answeredMs = now.monotonicMs;
    path.heardMs = now.monotonicMs;
    // Asked several times, or proved by something else: more answers may come.
    if (path.asked !== undefined) noLongerAwaited(link, path.asked.requestId);
    path.asked = undefined;
    path.askedSinceMs = undefined;
    path.asksUnanswered = 0;
    path.isShaken = false;
    if (roundTripMs !== undefined) path.smoothedRoundTripMs = path.smoothedRoundTripMs === undefined ? roundTripMs : path.smoothedRoundTripMs * 0.875 + roundTripMs * 0.125;
    const isBusy = path === set.current && now.monotonicMs - set.trafficMs < pathTrafficMs;
    path.nextAskMs = now.monotonicMs + (isBusy ? pathHeartbeatMs : pathHeartbeatIdleMs) * (0.8 + 0.4 * link.jitter);
    this.#table.arm(link, path.nextAskMs);
    if (isNew) this.#table.output({ kind: 'path', sessionId: link.id, change: 'proved', address: path.address });
    this.#choose(link, set, now);
  }

  #ask(link: Link, path: Path, now: Instant): void {
    path.asked = { requestId: path.asked?.requestId ?? this.#table.configuration.random(16), random: path.asked?.random ?? this.#table.configuration.random(randomBytes), sentMs: now.monotonicMs };
    path.askedSinceMs ??= now.monotonicMs;
    // Questions about paths keep a session from being asked for echoes: its round trips are those of the path in use.
    if (path === link.paths?.current && path.asksUnanswered >= lostAfterAsks) this.#table.recordRoundTrip(link, undefined);
    path.nextAskMs = now.monotonicMs + askAgainMs * 2 ** Math.min(path.asksUnanswered, 3);
    path.asksUnanswered += 1;
    this.#table.arm(link, Math.min(path.nextAskMs, path.askedSinceMs + doubtMs > now.monotonicMs ? path.askedSinceMs + doubtMs : Infinity));
    this.#table.sendFrameTo(link, path.address, encodeRequest(path.asked.requestId, { verb: 'challenge', random: path.asked.random }));
  }

  #challengeWithin(link: Link, path: Path, now: Instant): void {
    if (path.sentBytes + challengeBytes > path.receivedBytes || now.monotonicMs < (path.asked?.sentMs ?? -Infinity) + askAgainMs) return;
    path.sentBytes += challengeBytes;
    this.#ask(link, path, now);
    // It is no path yet: nothing is owed by it.
    path.askedSinceMs = undefined;
    path.nextAskMs = Infinity;
    this.#table.arm(link, now.monotonicMs + probeLifetimeMs);
  }

  /** To where it came from, whatever NAT made of that. */
  #answer(link: Link, set: PathSet, from: SocketAddress, requestId: Uint8Array, random: Uint8Array): void {
    const path = find(set, from);
    if (path === undefined) return;
    if (path.provedMs === undefined) {
      if (path.sentBytes + answerBytes > path.receivedBytes) return;
      path.sentBytes += answerBytes;
    }
    this.#table.sendFrameTo(link, from, encodeResponse(requestId, 0, true, random));
  }

  #isDoubtful(path: Path, now: Instant): boolean {
    return path.isShaken || (path.askedSinceMs !== undefined && now.monotonicMs - path.askedSinceMs >= doubtMs);
  }

  /** Sure ones first, then by tier, then by round trip. */
  #best(set: PathSet, now: Instant, except?: Path): Path | undefined {
    let best: Path | undefined;
    for (const path of set.paths) {
      if (path.provedMs === undefined || path === except) continue;
      if (best === undefined || this.#isBetter(path, best, now)) best = path;
    }
    return best;
  }

  #isBetter(path: Path, than: Path, now: Instant): boolean {
    const doubts = Number(this.#isDoubtful(path, now)) - Number(this.#isDoubtful(than, now));
    if (doubts !== 0) return doubts < 0;
    if (path.tier !== than.tier) return path.tier < than.tier;
    return (path.smoothedRoundTripMs ?? Infinity) < (than.smoothedRoundTripMs ?? Infinity);
  }

  #choose(link: Link, set: PathSet, now: Instant): void {
    const before = set.current;
    const best = this.#best(set, now);
    if (best === undefined || best === before) return;
    if (before !== undefined && set.paths.includes(before)) {
      if (!this.#isBetter(best, before, now)) return;
      const isSameKind = best.tier === before.tier && this.#isDoubtful(best, now) === this.#isDoubtful(before, now);
      if (isSameKind && (before.smoothedRoundTripMs ?? Infinity) - (best.smoothedRoundTripMs ?? Infinity) < roundTripStickinessMs) return;
      set.overlap = before;
      set.overlapUntilMs = now.monotonicMs + Math.max(overlapMinimumMs, 3 * (before.smoothedRoundTripMs ?? 0));
    }
    set.current = best;
    const isElsewhere = !sameAddress(link.address, best.address);
    link.address = best.address;
    if (link.announced && isElsewhere) this.#table.output({ kind: 'moved', sessionId: link.id, address: best.address });
  }

  /**
   * Whoever answers at a thousand addresses has no thousand paths, each of which is asked for ever. One that is doubtful gives way, or one of those that several of a kind are: the last way of its kind, such
   * as the circuit in reserve, stays. False: all that there are answer, and are no farther.
   */
  #makeRoom(link: Link, set: PathSet, address: SocketAddress, now: Instant): boolean {
    if (set.paths.length < pathsMaximum || forgetUnproved(set)) return true;
    const tier = this.#table.configuration.tierOf?.(address) ?? 0;
    const count = (of: number): number => set.paths.filter((path) => path.tier === of).length;
    let worst: Path | undefined;
    for (const path of set.paths) {
      if (path === set.current || count(path.tier) < 2 || !(this.#isDoubtful(path, now) || path.tier > tier || count(tier) === 0)) continue;
      if (worst === undefined || this.#isBetter(worst, path, now)) worst = path;
    }
    if (worst === undefined) return false;
    this.#remove(link, set, worst, now);
    return true;
  }

  #remove(link: Link, set: PathSet, path: Path, now: Instant): void {
    remove(set, path);
    this.#table.output({ kind: 'path', sessionId: link.id, change: 'lost', address: path.address });
    this.#choose(link, set, now);
  }
}

function find(set: PathSet, address: SocketAddress): Path | undefined {
  for (const path of set.paths) if (sameAddress(path.address, address)) return path;
  return undefined;
}

function remove(set: PathSet, path: Path): void {
  set.paths.splice(set.paths.indexOf(path), 1);
  if (set.current === path) set.current = undefined;
  if (set.overlap === path) set.overlap = undefined;
}

const isChallenge = (frame: Uint8Array | undefined): boolean => frame?.[0] === 1 && frame[1] === verbs.challenge;
/** By its form; whether it answers anything of ours makes no difference to where it came from. */
const isAnswer = (frame: Uint8Array | undefined): boolean => frame?.[0] === 2 && frame.length === responseHeaderBytes + randomBytes;

/** Whoever holds the keys could otherwise fill the list with addresses that never answer. */
function forgetUnproved(set: PathSet): boolean {
  const unproved = set.paths.find((path) => path.provedMs === undefined);
  if (unproved !== undefined) remove(set, unproved);
  return unproved !== undefined;
}
