/** The initiator's half of handshakes: attempts with backoff, IK when the key is known and XX when that is not answered. */
import { generateKeyPair, HandshakeState, isUsablePublicKey } from '../noise/index.ts';
import { identityOf, throwawayKeys } from './keys.ts';
import { randomFraction } from '../random.ts';
import { cookiesPerAttempt, dialFirstMs, dialMaximumMs, handshakeDatagramBytes, hearsayDialMaximumMs, knownKeyAttempts, payloadVersion, wrongIdentityMaximum } from './constants.ts';
import { encodeHandshake, encodeHandshake1, handshake1HeaderBytes, prologue, withCookie, type Datagram, type PatternName } from './datagram.ts';
import { decodePayload, encodePayload, type HandshakePayload } from './handshake-payload.ts';
import { isCircuitAddress, tunnelledMaximumBytes } from '../circuits/tunnel.ts';
import { directAddress, directPauseMs, goesAround } from './detour.ts';
import { ReplayWindow } from './replay-window.ts';
import { equalBytes } from '../wire/bytes.ts';
import type { KeyPair } from '../crypto.ts';
import { decodeCertificate } from '../wire/certificate.ts';
import { sameAddress, socketAddressKey, type DeviceCertificate, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Detours } from './detour.ts';
import { isDoubtfulPlace, type Dialling, type Link, type TransportKeys } from './link.ts';
import type { SessionTable } from './sessions.ts';
import type { DialOptions } from './types.ts';

const versions = new Uint8Array([payloadVersion]);
const noToken = new Uint8Array(16);
const noBootId = new Uint8Array(8);
const nothing = new Uint8Array(0);

type Refusal = 'bad-certificate' | 'wrong-identity' | 'self' | 'certificate-budget';

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

  abandon(link: Link): void {
    if (link.dialling === undefined) return;
    this.#byIndex.delete(link.dialling.localIndex);
    link.dialling.state.destroy();
    link.dialling = undefined;
  }

  /**
   * Sends one handshake-1: a repetition, or a fresh one when two of a kind were not answered. Arms the next attempt. Every second kind asks all
   * anew: for the key, and at the address that we were given, because whoever forwarded packets for a while may have led us elsewhere.
   */
  attempt(link: Link, now: Instant): void {
    const { dial } = link;
    if (dial === undefined) return;
    if (link.wrongIdentities >= wrongIdentityMaximum) { this.#table.end(link, link.refusal); return; }
    const known = link.remoteStatic.length === 32 ? link.remoteStatic : dial.remoteStatic;
    const usable = known !== undefined && isUsablePublicKey(known);
    const isFirstKind = dial.announced === true || Math.floor(link.dialAttempts / knownKeyAttempts) % 2 === 0;
    if (dial.announced === true && !usable) { this.#table.end(link, 'bad-certificate'); return; }
    if (link.dialling === undefined || link.dialling.refused || link.dialAttempts % knownKeyAttempts === 0) {
      this.#begin(link, dial, usable && isFirstKind ? known : undefined, isFirstKind ? directAddress(link) : link.home, now);
    }
    if (link.dialling !== undefined) {
      link.dialling.cookiesTaken = 0;
      this.#table.transmit(link.dialling.to, link.dialling.datagram);
      if (goesAround(link, now)) this.goAround(link, now);
    }
    const backoffMs = link.detour?.reason === 'direct' ? directPauseMs(link.dialAttempts) : Math.min(isDoubtfulPlace(link) ? hearsayDialMaximumMs : dialMaximumMs, dialFirstMs * 2 ** Math.min(link.dialAttempts, 20));
    link.dialAttempts += 1;
    link.nextDialMs = now.monotonicMs + backoffMs * (0.8 + 0.4 * randomFraction(this.#table.configuration.random));
    const joinsAtMs = link.detour?.joinsAtMs ?? -Infinity;
    const nextMs = joinsAtMs > now.monotonicMs ? Math.min(link.nextDialMs, joinsAtMs) : link.nextDialMs;
    if (nextMs < Infinity) this.#table.arm(link, nextMs);
  }

  /** The same handshake over TCP. Its answer is told from that over UDP by where it comes from, which only the own host decides. */
  goAround(link: Link, now: Instant): void {
    const { detour, dialling } = link;
    if (detour === undefined || dialling === undefined || now.monotonicMs < detour.refusedUntilMs) return;
    dialling.wentAround = true;
    // Memory of its own: what is transmitted may be written over.
    this.#table.transmit(detour.address, dialling.datagram.slice());
  }

  #begin(link: Link, dial: DialOptions, remoteStatic: Uint8Array | undefined, to: SocketAddress, now: Instant): void {
    this.abandon(link);
    const { crypto, random, capabilities, certificate } = this.#table.configuration;
    const pattern: PatternName = remoteStatic === undefined ? 'XX' : 'IK';
    const localIndex = this.#table.freeIndex();
    const isIk = pattern === 'IK';
    // The first message of XX is readable on the way: nothing in it tells one visor from another.
    const payload: HandshakePayload = {
      version: 0, bootId: isIk ? link.ownBootId : noBootId, resetToken: noToken, certificate: isIk && !dial.anonymous ? certificate : nothing, capabilities: isIk ? capabilities : [],
    };
    const ephemeral = generateKeyPair(crypto, random);
    const start = (): { readonly state: HandshakeState; readonly message: Uint8Array } => {
      const state = new HandshakeState({
        crypto, pattern, initiator: true, prologue: prologue(pattern, versions), staticKeyPair: link.ownStatic, ...(remoteStatic === undefined ? {} : { remoteStatic }),
        // A copy: the handshake wipes it.
        generateKeyPair: () => ({ secretKey: ephemeral.secretKey.slice(), publicKey: ephemeral.publicKey.slice() }),
      });
      return { state, message: state.writeMessage(encodePayload(payload, (isCircuitAddress(to) ? tunnelledMaximumBytes : handshakeDatagramBytes) - handshake1HeaderBytes(versions.length) - state.nextOverheadBytes)) };
    };
    const { state, message } = start();
    link.dialling = {
      pattern, state, localIndex, to, begunMs: now.monotonicMs, datagram: encodeHandshake1(pattern, localIndex, versions, message), cookiesTaken: 0, refused: false, wentAround: false,
      // Message 1 of XX encrypts nothing, so that writing it again gives the same bytes and no key is used twice.
      renew: isIk ? undefined : () => start().state,
    };
    this.#byIndex.set(localIndex, link);
  }

  cookie(from: SocketAddress, receiverIndex: number, cookie: Uint8Array): void {
    const dialling = this.#byIndex.get(receiverIndex)?.dialling;
    if (dialling === undefined || socketAddressKey(from) !== socketAddressKey(dialling.to) || dialling.cookiesTaken >= cookiesPerAttempt) { this.#table.drop('unexpected'); return; }
    if (equalBytes(dialling.datagram.subarray(6, 22), cookie)) return;
    dialling.cookiesTaken += 1;
    const link = this.#byIndex.get(receiverIndex);
    if (link !== undefined) link.answered = true;
    dialling.datagram = withCookie(dialling.datagram, cookie);
    this.#table.transmit(dialling.to, dialling.datagram);
  }

  /** @param detours is told how it went, of links that may go around */
  handshake2(from: SocketAddress, datagram: Extract<Datagram, { type: 'handshake-2' | 'handshake-3' }>, detours: Detours, now: Instant): void {
    const link = this.#byIndex.get(datagram.receiverIndex);
    const dialling = link?.dialling;
    if (link?.dial === undefined || dialling === undefined) { this.#table.drop('unexpected'); return; }
    link.answered = true;
    const bytes = dialling.state.tryReadMessage(datagram.message);
    if (bytes === undefined) { this.#table.drop('unauthentic'); return; }
    const payload = decodePayload(bytes);
    const remoteStatic = dialling.state.remoteStaticKey;
    const certificate = payload === undefined || remoteStatic === undefined ? 'bad-certificate' : this.#accept(link, payload, remoteStatic, now);
    if (payload === undefined || remoteStatic === undefined || typeof certificate === 'string') {
      this.#refuse(link, dialling, typeof certificate === 'string' ? certificate : 'bad-certificate', detours.refused(link, from, now));
      return;
    }
    let handshake3: Uint8Array | undefined;
    if (dialling.pattern === 'XX') {
      const own = this.#table.configuration;
      const message = dialling.state.writeMessage(encodePayload({
        version: payloadVersion, bootId: link.ownBootId, resetToken: noToken, certificate: link.dial.anonymous ? nothing : own.certificate, capabilities: own.capabilities,
      }));
      handshake3 = encodeHandshake(3, dialling.localIndex, datagram.senderIndex, message);
    }
    const { send, receive } = dialling.state.split();
    const keys: TransportKeys = {
      localIndex: dialling.localIndex, remoteIndex: datagram.senderIndex, send, receive, window: new ReplayWindow(), initiator: true, establishedMs: now.monotonicMs,
      begunMs: dialling.begunMs, resetToken: payload.resetToken, sendCounter: 0, confirmed: false, handshake3,
    };
    // Never the address that the answer came from: it is not authentic, and a copy sent from elsewhere would lead the session there.
    // Around is different: what comes from there came through a connection that was made there from here.
    const to = link.detour !== undefined && dialling.wentAround && sameAddress(from, link.detour.address) ? link.detour.address : dialling.to;
    const isElsewhere = link.detour !== undefined && link.announced && !sameAddress(link.address, to);
    if (sameAddress(dialling.to, link.home)) link.isPlaceProved = true;
    if (link.paths === undefined) link.address = to;
    if (handshake3 !== undefined) this.#table.transmit(to, handshake3);
    this.#table.install(link, keys, { certificate, remoteStatic, capabilities: payload.capabilities, bootId: payload.bootId }, now);
    if (link.paths !== undefined) this.#table.provedAt(link, dialling.to, now);
    if (isElsewhere) this.#table.output({ kind: 'moved', sessionId: link.id, address: to });
    detours.established(link, to, isElsewhere, now);
    this.#table.greet(link, now);
  }

  /** Cheap questions first; the signature is asked for only when everything else fits. */
  #accept(link: Link, payload: HandshakePayload, remoteStatic: Uint8Array, now: Instant): DeviceCertificate | Refusal {
    const shown = decodeCertificate(payload.certificate);
    if (equalBytes(remoteStatic, this.#table.configuration.staticKeys.publicKey)) return 'self';
    if (shown === undefined || payload.version !== payloadVersion) return 'bad-certificate';
    if (shown.identity !== link.dial?.identity) return 'wrong-identity';
    if (!equalBytes(shown.x25519, remoteStatic)) return 'bad-certificate';
    return this.#table.certificates.check(payload.certificate, now, 'dialled');
  }

  /**
   * Whoever sees our message 1 of XX can answer it with a key of their own, and sooner than the one we want: such an answer is forgotten, counted
   * once for each handshake, and ends the dial only when no genuine answer followed in three of them. A live session never ends by it.
   */
  #refuse(link: Link, dialling: Dialling, refusal: Refusal, isAround: boolean): void {
    this.#table.drop(refusal === 'wrong-identity' ? 'bad-certificate' : refusal);
    const isWanted = link.keys === undefined || link.silent;
    if (!isAround && !dialling.refused && refusal !== 'certificate-budget' && isWanted && socketAddressKey(dialling.to) === socketAddressKey(link.address)) {
      link.wrongIdentities += 1;
      link.refusal = refusal === 'bad-certificate' ? 'bad-certificate' : 'wrong-identity';
    }
    dialling.refused = true;
    if (dialling.renew === undefined) { this.abandon(link); return; }
    dialling.state.destroy();
    dialling.state = dialling.renew();
  }
}
