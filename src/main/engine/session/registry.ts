/**
 * All sessions and the ways to find them: by id, by the proven identity (certified sessions only), by the static key of an anonymous
 * initiator, by the index that a dialled relay gave us. Also the two changes that touch all of these: new keys, and the end.
 */
import { equalBytes, toHex } from '../wire/bytes.ts';
import type { DeviceIdHex, Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import { anonymousShare, keepaliveJitter, keepaliveMs, keyOverlapMs, rekeyAfterMs, rekeyAfterPackets, rekeyJitter, sessionsPerIdentityMaximum } from './constants.ts';
import type { SessionContext } from './context.ts';
import { jittered, jitteredDown } from './jitter.ts';
import { forgetEchoes, transmitFrame } from './liveness.ts';
import { sameAddress } from './path-validation.ts';
import { Session } from './session.ts';
import type { Dial, Peer } from './session.ts';
import type { SessionKeys } from './session-keys.ts';
import type { CloseReason, SessionId } from './types.ts';

export class Registry {
  readonly #context: SessionContext;
  readonly #sessions = new Map<SessionId, Session>();
  /** Certified sessions, dials in progress included. */
  readonly #byIdentity = new Map<PublicKeyHex, Session[]>();
  readonly #anonymousByStatic = new Map<string, Session>();
  readonly #byRemoteIndex = new Map<number, Session>();
  readonly dialled = new Set<Session>();
  #nextId = 1;
  establishedCount = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get(id: SessionId): Session | undefined { return this.#sessions.get(id); }
  get size(): number { return this.#sessions.size; }
  get isFull(): boolean { return this.#sessions.size >= this.#context.limits.sessions; }

  /** Whether one more session with that peer may come into being; peers that have one already are always let in. */
  hasRoomFor(peer: Peer): boolean {
    if (this.findLive(peer) !== undefined) return true;
    if (this.isFull) return false;
    return peer.certificate !== undefined || this.#anonymousByStatic.size < this.#context.limits.sessions * anonymousShare;
  }

  create(address: SocketAddress, anonymous: boolean, dial: Dial | undefined, identity: PublicKeyHex | undefined): Session {
    const session = new Session(this.#nextId, address, anonymous, dial);
    this.#nextId += 1;
    this.#sessions.set(session.id, session);
    if (dial !== undefined) this.dialled.add(session);
    if (!anonymous && identity !== undefined) {
      const list = this.#byIdentity.get(identity);
      if (list === undefined) this.#byIdentity.set(identity, [session]);
      else {
        list.push(session);
        const oldest = list.length > sessionsPerIdentityMaximum ? list.find((other) => other.dial === undefined && other !== session) : undefined;
        if (oldest !== undefined) this.close(oldest, 'replaced');
      }
    }
    return session;
  }

  ofIdentity(identity: PublicKeyHex): readonly Session[] { return this.#byIdentity.get(identity) ?? []; }

  findEstablished(identity: PublicKeyHex): Session | undefined {
    const established = this.ofIdentity(identity).filter((session) => session.keys !== undefined);
    return established.findLast((session) => !session.silent) ?? established.at(-1);
  }

  /** The established session that the peer has with us: by identity and device, or by its throwaway key. */
  findLive(peer: Peer, other?: Session): Session | undefined {
    if (peer.certificate === undefined) return this.#anonymousByStatic.get(toHex(peer.staticKey));
    return this.#liveOfDevice(peer.certificate.identity, peer.certificate.deviceId, other);
  }

  byRemoteIndex(index: number): Session | undefined { return this.#byRemoteIndex.get(index); }

  /** New keys for a session, its first or later ones. Tells what that means to the layers above. */
  install(session: Session, keys: SessionKeys, peer: Peer, address: SocketAddress, now: Instant): void {
    const context = this.#context;
    const first = session.keys === undefined;
    const restarted = session.peer !== undefined && !equalBytes(session.peer.bootId, peer.bootId);
    const wasDoubted = session.silent || session.doubted;
    this.dropPreviousKeys(session);
    if (session.keys !== undefined) {
      if (this.#byRemoteIndex.get(session.keys.remoteIndex) === session) this.#byRemoteIndex.delete(session.keys.remoteIndex);
      if (restarted) context.forgetKeys(session.keys);
      else {
        session.previousKeys = session.keys;
        session.previousUntilMs = now.monotonicMs + keyOverlapMs;
      }
    }
    session.keys = keys;
    keys.owner = session;
    session.peer = peer;
    session.lastHeardMs = now.monotonicMs;
    session.silent = false;
    session.doubted = false;
    session.expectingSinceMs = Infinity;
    session.nextProbeMs = Infinity;
    if (restarted) forgetEchoes(context, session);
    if (first || restarted) session.establishedMs = now.monotonicMs;
    if (first) this.establishedCount += 1;
    if (session.dial !== undefined) {
      if (!this.#byRemoteIndex.has(keys.remoteIndex)) this.#byRemoteIndex.set(keys.remoteIndex, session);
      session.rekeyAtMs = now.monotonicMs + jitteredDown(context.random, rekeyAfterMs, rekeyJitter);
      session.rekeyPackets = jitteredDown(context.random, rekeyAfterPackets, rekeyJitter);
      session.keepaliveAtMs = now.monotonicMs + jittered(context.random, keepaliveMs, keepaliveJitter);
    } else if (peer.certificate === undefined) {
      this.#anonymousByStatic.set(toHex(peer.staticKey), session);
    }
    const moved = !sameAddress(session.address, address);
    if (moved) {
      session.address = address;
      session.candidate = undefined;
    }
    const view = session.view();
    if (view !== undefined && restarted) context.emit({ kind: 'restarted', session: view });
    else if (view !== undefined && (first || wasDoubted)) context.emit({ kind: 'established', session: view });
    if (moved && !first) context.emit({ kind: 'moved', sessionId: session.id, address });
  }

  dropPreviousKeys(session: Session): void {
    if (session.previousKeys !== undefined) this.#context.forgetKeys(session.previousKeys);
    session.previousKeys = undefined;
    session.previousUntilMs = Infinity;
  }

  /** @param farewell tells the other side, where it can be told. */
  close(session: Session, reason: CloseReason, farewell = false): void {
    if (session.closed) return;
    const context = this.#context;
    if (farewell) transmitFrame(context, session, context.control.close());
    session.closed = true;
    this.#sessions.delete(session.id);
    this.dialled.delete(session);
    this.#forgetIdentity(session);
    if (session.peer !== undefined && session.dial === undefined) {
      const key = toHex(session.peer.staticKey);
      if (this.#anonymousByStatic.get(key) === session) this.#anonymousByStatic.delete(key);
    }
    for (const attempt of session.dial?.attempts ?? []) {
      context.indices.delete(attempt.localIndex);
      attempt.noise.destroy();
      attempt.finished?.keys.destroy();
    }
    this.dropPreviousKeys(session);
    if (session.keys !== undefined) {
      this.establishedCount -= 1;
      if (this.#byRemoteIndex.get(session.keys.remoteIndex) === session) this.#byRemoteIndex.delete(session.keys.remoteIndex);
      context.forgetKeys(session.keys);
    }
    context.reschedule(session);
    context.emit({ kind: 'closed', sessionId: session.id, reason });
  }

  #liveOfDevice(identity: PublicKeyHex, deviceId: DeviceIdHex, other: Session | undefined): Session | undefined {
    return this.ofIdentity(identity).find((session) => session !== other && session.keys !== undefined && session.peer?.certificate?.deviceId === deviceId);
  }

  #forgetIdentity(session: Session): void {
    const identity = session.identity;
    const list = identity === undefined ? undefined : this.#byIdentity.get(identity);
    if (identity === undefined || list === undefined) return;
    const rest = list.filter((other) => other !== session);
    if (rest.length === 0) this.#byIdentity.delete(identity);
    else this.#byIdentity.set(identity, rest);
  }
}
