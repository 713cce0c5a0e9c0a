/** The initiator's half of handshakes: attempts with backoff, IK when the key is known and XX when that is not answered. */
import { generateKeyPair, HandshakeState, isUsablePublicKey } from '../noise/index.ts';
import { identityOf, throwawayKeys } from './keys.ts';
import { randomFraction } from '../random.ts';
import { dialFirstMs, dialMaximumMs, handshakeDatagramBytes, knownKeyAttempts, payloadVersion, wrongIdentityMaximum } from './constants.ts';
import { encodeHandshake, encodeHandshake1, handshake1HeaderBytes, prologue, withCookie, type Datagram, type PatternName } from './datagram.ts';
import { decodePayload, encodePayload, type HandshakePayload } from './handshake-payload.ts';
import { ReplayWindow } from './replay-window.ts';
import { equalBytes } from '../wire/bytes.ts';
import type { KeyPair } from '../crypto.ts';
import type { DeviceCertificate, Instant, SocketAddress } from '../wire/types.ts';
import type { Link, TransportKeys } from './link.ts';
import type { SessionTable } from './sessions.ts';

const versions = new Uint8Array([payloadVersion]);
const noToken = new Uint8Array(16);
const nothing = new Uint8Array(0);

export class Dialer {
  readonly #table: SessionTable;
  readonly #byIndex = new Map<number, Link>();
  readonly ownIdentity: string;

  constructor(table: SessionTable) {
    this.#table = table;
    this.ownIdentity = identityOf(table.configuration.certificate);
  }

  has(index: number): boolean { return this.#byIndex.has(index); }
  throwaway(): KeyPair { return throwawayKeys(this.#table.configuration); }

  /** A certified dial to that identity that has not been answered yet: its handshake and theirs become one session. */
  diallingTo(identity: string): Link | undefined {
    for (const link of this.#byIndex.values()) if (link.dial?.identity === identity && !link.dial.anonymous && link.keys === undefined) return link;
    return undefined;
  }

  abandon(link: Link): void {
    if (link.dialling === undefined) return;
    this.#byIndex.delete(link.dialling.localIndex);
    link.dialling.state.destroy();
    link.dialling = undefined;
  }

  /** Sends one handshake-1: a repetition, or a fresh one when two of a kind were not answered. Arms the next attempt. */
  attempt(link: Link, now: Instant): void {
    const { dial } = link;
    if (dial === undefined) return;
    const known = link.remoteStatic.length === 32 ? link.remoteStatic : dial.remoteStatic;
    const usable = known !== undefined && isUsablePublicKey(known);
    const round = Math.floor(link.dialAttempts / knownKeyAttempts);
    const pattern: PatternName = usable && round % 2 === 0 ? 'IK' : 'XX';
    if (link.dialling === undefined || link.dialAttempts % knownKeyAttempts === 0) this.#begin(link, pattern, usable ? known : undefined);
    if (link.dialling !== undefined) this.#table.transmit(link.address, link.dialling.datagram);
    const backoffMs = Math.min(dialMaximumMs, dialFirstMs * 2 ** Math.min(link.dialAttempts, 10));
    link.dialAttempts += 1;
    link.nextDialMs = now.monotonicMs + backoffMs * (0.8 + 0.4 * randomFraction(this.#table.configuration.random));
    this.#table.arm(link, link.nextDialMs);
  }

  #begin(link: Link, pattern: PatternName, remoteStatic: Uint8Array | undefined): void {
    this.abandon(link);
    const { crypto, random, capabilities, bootId, certificate } = this.#table.configuration;
    const state = new HandshakeState({
      crypto, pattern, initiator: true, prologue: prologue(pattern, versions), staticKeyPair: link.ownStatic,
      ...(pattern === 'IK' && remoteStatic !== undefined ? { remoteStatic } : {}), generateKeyPair: () => generateKeyPair(crypto, random),
    });
    const localIndex = this.#table.freeIndex();
    const showsCertificate = pattern === 'IK' && link.dial?.anonymous === false;
    const payload: HandshakePayload = { version: 0, bootId, resetToken: noToken, certificate: showsCertificate ? certificate : nothing, capabilities };
    const payloadBytes = handshakeDatagramBytes - handshake1HeaderBytes(versions.length) - state.nextOverheadBytes;
    const message = state.writeMessage(encodePayload(payload, payloadBytes));
    link.dialling = { pattern, state, localIndex, datagram: encodeHandshake1(pattern, localIndex, versions, message) };
    this.#byIndex.set(localIndex, link);
  }

  cookie(receiverIndex: number, cookie: Uint8Array, now: Instant): void {
    const link = this.#byIndex.get(receiverIndex);
    if (link?.dialling === undefined) { this.#table.drop('unexpected'); return; }
    // Only once per attempt: whoever forges cookies must not make us send more than we would.
    if (!equalBytes(link.dialling.datagram.subarray(6, 22), cookie)) {
      link.dialling.datagram = withCookie(link.dialling.datagram, cookie);
      if (link.nextDialMs > now.monotonicMs) this.#table.transmit(link.address, link.dialling.datagram);
    }
  }

  handshake2(from: SocketAddress, datagram: Extract<Datagram, { type: 'handshake-2' | 'handshake-3' }>, _sizeBytes: number, now: Instant): void {
    const link = this.#byIndex.get(datagram.receiverIndex);
    const dialling = link?.dialling;
    if (link?.dial === undefined || dialling === undefined) { this.#table.drop('unexpected'); return; }
    const bytes = dialling.state.tryReadMessage(datagram.message);
    if (bytes === undefined) { this.#table.drop('unauthentic'); return; }
    const payload = decodePayload(bytes);
    const remoteStatic = dialling.state.remoteStaticKey;
    const certificate = payload === undefined || remoteStatic === undefined ? 'bad-certificate' : this.#accept(link, payload, remoteStatic, now);
    if (payload === undefined || remoteStatic === undefined || typeof certificate === 'string') {
      // The handshake state has moved on; whoever really is there gets a fresh handshake with the next attempt.
      this.#table.drop('bad-certificate');
      this.abandon(link);
      link.wrongIdentities += 1;
      if (link.wrongIdentities >= wrongIdentityMaximum) this.#table.end(link, certificate === 'wrong-identity' ? 'wrong-identity' : 'bad-certificate');
      return;
    }
    let handshake3: Uint8Array | undefined;
    if (dialling.pattern === 'XX') {
      const own = this.#table.configuration;
      const message = dialling.state.writeMessage(encodePayload({
        version: payloadVersion, bootId: own.bootId, resetToken: noToken, certificate: link.dial.anonymous ? nothing : own.certificate, capabilities: own.capabilities,
      }));
      handshake3 = encodeHandshake(3, dialling.localIndex, datagram.senderIndex, message);
    }
    const { send, receive } = dialling.state.split();
    const keys: TransportKeys = {
      localIndex: dialling.localIndex, remoteIndex: datagram.senderIndex, send, receive, window: new ReplayWindow(), initiator: true, establishedMs: now.monotonicMs,
      resetToken: payload.resetToken, sendCounter: 0, confirmed: false, handshake3,
    };
    link.address = from;
    if (handshake3 !== undefined) this.#table.transmit(from, handshake3);
    this.#table.install(link, keys, { certificate, remoteStatic, capabilities: payload.capabilities, bootId: payload.bootId }, now);
    this.#table.greet(link, now);
  }

  #accept(link: Link, payload: HandshakePayload, remoteStatic: Uint8Array, now: Instant): DeviceCertificate | 'bad-certificate' | 'wrong-identity' {
    const certificate = this.#table.certificates.check(payload.certificate, now);
    if (typeof certificate === 'string' || payload.version !== payloadVersion) return 'bad-certificate';
    if (certificate.identity !== link.dial?.identity) return 'wrong-identity';
    return equalBytes(certificate.x25519, remoteStatic) ? certificate : 'bad-certificate';
  }
}
