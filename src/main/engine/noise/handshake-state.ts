/**
 * One side of one handshake (Noise revision 34, section 5.3): walks the tokens of a pattern, writing or reading one message at a time.
 * Not responsible for datagrams, retries, cookies or certificates: those belong to the session and the letters.
 *
 * Reading works on a copy of the symmetric state that replaces the original only when the whole message was authentic. So `readMessage`
 * may end the handshake on a bad message, as the framework asks, while `tryReadMessage` lets a datagram that anybody could have sent fall
 * off without harm. There is deliberately no `clone()`: two copies that each wrote a message would use one key and counter twice.
 */
import type { Crypto, KeyPair } from '../crypto.ts';
import { NoiseError } from './noise-error.ts';
import { resolvePattern } from './patterns.ts';
import type { DhToken, HandshakePattern, Token } from './patterns.ts';
import { takeKeyMaterial } from './handshake-options.ts';
import type { HandshakeOptions } from './handshake-options.ts';
import { SymmetricState } from './symmetric-state.ts';
import type { CipherState } from './cipher-state.ts';
import { isUsablePublicKey } from './x25519-keys.ts';

/** Section 3: all Noise messages are at most this long. */
export const messageMaximumBytes = 65_535;
export const tagSizeBytes = 16;
const publicKeySizeBytes = 32;

/** Transport ciphers of one side. */
export interface TransportCiphers {
  readonly send: CipherState;
  readonly receive: CipherState;
}

type Phase = 'running' | 'complete' | 'split' | 'dead';

export class HandshakeState {
  readonly #crypto: Crypto;
  readonly #pattern: HandshakePattern;
  readonly #initiator: boolean;
  readonly #staticKeys: KeyPair | undefined;
  readonly #generateKeyPair: () => KeyPair;
  readonly #psks: readonly Uint8Array[];
  #symmetric: SymmetricState;
  #ephemeralKeys: KeyPair | undefined;
  #fixedEphemeralKeys: KeyPair | undefined;
  #remoteStatic: Uint8Array | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #messageIndex = 0;
  #usedPsks = 0;
  #phase: Phase = 'running';

  /** Throws `NoiseError` when the key material does not fit the pattern: that is a mistake of our own code, not of a peer. */
  constructor(options: HandshakeOptions) {
    this.#crypto = options.crypto;
    this.#pattern = resolvePattern(options.pattern);
    this.#initiator = options.initiator;
    this.#generateKeyPair = options.generateKeyPair;
    const material = takeKeyMaterial(options, this.#pattern);
    this.#staticKeys = material.staticKeys;
    this.#fixedEphemeralKeys = material.fixedEphemeralKeys;
    this.#remoteStatic = material.remoteStatic;
    this.#psks = material.psks;
    this.#symmetric = new SymmetricState(this.#crypto, this.#pattern.protocolName);
    this.#symmetric.mixHash(options.prologue);
    this.#mixKnownStatics();
  }

  /** All messages of the pattern are written and read, and the state is alive. */
  get isComplete(): boolean {
    return this.#phase === 'complete' || this.#phase === 'split';
  }

  /** A message from outside could not be read with `readMessage`; start a new handshake. */
  get isDead(): boolean {
    return this.#phase === 'dead';
  }

  /** Whether the next message is ours to write; false once complete or dead. */
  get isOurTurn(): boolean {
    return this.#phase === 'running' && (this.#messageIndex % 2 === 0) === this.#initiator;
  }

  /** The channel binding (section 11.2), 32 bytes; throws before the handshake is complete, when it would bind to nothing. */
  get handshakeHash(): Uint8Array {
    if (!this.isComplete) throw new NoiseError('handshake_incomplete', 'the handshake hash exists when the handshake is complete');
    return this.#symmetric.hash;
  }

  /** The other side's static key: given, or received so far. Proven only by the messages that follow (section 7.7). */
  get remoteStaticKey(): Uint8Array | undefined {
    return this.#remoteStatic?.slice();
  }

  /** Bytes that the next message has beyond its payload, for padding a message to a wanted size; 0 when none is left. */
  get nextOverheadBytes(): number {
    let keyed = this.#symmetric.hasKey;
    let sizeBytes = 0;
    for (const token of this.#pattern.messages[this.#messageIndex] ?? []) {
      if (token === 'e') sizeBytes += publicKeySizeBytes;
      if (token === 's') sizeBytes += publicKeySizeBytes + (keyed ? tagSizeBytes : 0);
      keyed ||= token === 'e' ? this.#pattern.pskCount > 0 : token !== 's';
    }
    return this.#phase === 'running' ? sizeBytes + (keyed ? tagSizeBytes : 0) : 0;
  }

  /** The next message with `payload` inside, encrypted as far as the pattern has keys by then. */
  writeMessage(payload: Uint8Array): Uint8Array {
    if (this.#phase === 'dead') throw new NoiseError('handshake_dead', 'this handshake has failed; start a new one');
    if (!this.isOurTurn) throw new NoiseError('wrong_turn', 'the next message of this handshake is not ours to write');
    const sizeBytes = this.nextOverheadBytes + payload.length;
    if (sizeBytes > messageMaximumBytes) throw new NoiseError('message_too_long', `a Noise message has at most ${messageMaximumBytes} bytes, this one would have ${sizeBytes}`);

    const message = new Uint8Array(sizeBytes);
    let offset = 0;
    const append = (part: Uint8Array): void => {
      message.set(part, offset);
      offset += part.length;
    };
    for (const token of this.#pattern.messages[this.#messageIndex] ?? []) {
      if (token === 'e') append(this.#writeEphemeral());
      else if (token === 's') append(this.#symmetric.encryptAndHash(this.#ownStatic().publicKey));
      else if (token === 'psk') this.#mixPsk(this.#symmetric);
      else if (!this.#mixDh(this.#symmetric, token, this.#remoteEphemeral, this.#remoteStatic)) {
        this.destroy();
        throw new NoiseError('unusable_public_key', 'a Diffie-Hellman result of this handshake is all zero');
      }
    }
    append(this.#symmetric.encryptAndHash(payload));
    this.#advance();
    return message;
  }

  /**
   * The payload, or undefined for anything malformed or not authentic, and also when it is not the other side's turn. After undefined
   * a running handshake is dead and its keys are wiped; a complete one is not harmed by messages that come late. For reliable streams,
   * or where one attempt is all there is.
   */
  readMessage(message: Uint8Array): Uint8Array | undefined {
    const running = this.#phase === 'running';
    const payload = this.tryReadMessage(message);
    if (payload === undefined && running) this.destroy();
    return payload;
  }

  /** As `readMessage`, but a bad message changes nothing: the genuine one may still come. For datagrams. */
  tryReadMessage(message: Uint8Array): Uint8Array | undefined {
    if (this.#phase !== 'running' || this.isOurTurn || message.length > messageMaximumBytes) return undefined;
    const symmetric = this.#symmetric.clone();
    const usedPsks = this.#usedPsks;
    const read = this.#readTokens(symmetric, message);
    if (read === undefined) {
      symmetric.destroy();
      this.#usedPsks = usedPsks;
      return undefined;
    }
    this.#symmetric.destroy();
    this.#symmetric = symmetric;
    this.#remoteEphemeral = read.remoteEphemeral;
    this.#remoteStatic = read.remoteStatic;
    this.#advance();
    return read.payload;
  }

  /** The transport ciphers of a two-way pattern. Once only: the keys that could make them again are wiped. */
  split(): TransportCiphers {
    if (this.#pattern.oneWay) throw new NoiseError('wrong_turn', `${this.#pattern.name} carries data one way only; use splitOneWay`);
    const [fromInitiator, fromResponder] = this.#splitOnce();
    return this.#initiator ? { send: fromInitiator, receive: fromResponder } : { send: fromResponder, receive: fromInitiator };
  }

  /** The one cipher of N, K and X: the initiator seals with it, the responder opens. The second one must not be used (section 7.4). */
  splitOneWay(): CipherState {
    if (!this.#pattern.oneWay) throw new NoiseError('wrong_turn', `${this.#pattern.name} carries data both ways; use split`);
    const [fromInitiator, unused] = this.#splitOnce();
    unused.destroy();
    return fromInitiator;
  }

  /** Ends the handshake and wipes its keys. Transport ciphers already split off live on. */
  destroy(): void {
    if (this.#phase !== 'split') this.#phase = 'dead';
    this.#symmetric.destroy();
    this.#wipeKeys();
  }

  /** Pre-messages are static keys only in the supported table; the initiator's comes first (section 5.3, Initialize). */
  #mixKnownStatics(): void {
    const known = this.#pattern.knownStatics;
    const mix = (initiatorsKey: boolean): void => {
      const key = initiatorsKey === this.#initiator ? this.#staticKeys?.publicKey : this.#remoteStatic;
      if (key !== undefined) this.#symmetric.mixHash(key);
    };
    if (known === 'initiator' || known === 'both') mix(true);
    if (known === 'responder' || known === 'both') mix(false);
  }

  #writeEphemeral(): Uint8Array {
    const keys = this.#fixedEphemeralKeys ?? this.#generateKeyPair();
    this.#fixedEphemeralKeys = undefined;
    this.#ephemeralKeys = keys;
    this.#mixEphemeral(this.#symmetric, keys.publicKey);
    return keys.publicKey;
  }

  /** With pre-shared keys the ephemeral key is also mixed into the key, so that psk0 never encrypts under a constant one (section 9.2). */
  #mixEphemeral(symmetric: SymmetricState, publicKey: Uint8Array): void {
    symmetric.mixHash(publicKey);
    if (this.#pattern.pskCount > 0) symmetric.mixKey(publicKey);
  }

  #mixPsk(symmetric: SymmetricState): void {
    const psk = this.#psks[this.#usedPsks];
    if (psk === undefined) throw new NoiseError('wrong_key_material', 'the pattern uses more pre-shared keys than it declares');
    this.#usedPsks += 1;
    symmetric.mixKeyAndHash(psk);
  }

  /** False when the result is all zero or a key is not there, which the table and the checks on arrival rule out. */
  #mixDh(symmetric: SymmetricState, token: DhToken, remoteEphemeral: Uint8Array | undefined, remoteStatic: Uint8Array | undefined): boolean {
    // The first letter names the initiator's key, the second the responder's.
    const ourLetter = token[this.#initiator ? 0 : 1];
    const theirLetter = token[this.#initiator ? 1 : 0];
    const ours = ourLetter === 'e' ? this.#ephemeralKeys : this.#staticKeys;
    const theirs = theirLetter === 'e' ? remoteEphemeral : remoteStatic;
    if (ours === undefined || theirs === undefined) return false;
    const shared = this.#crypto.x25519(ours.secretKey, theirs);
    if (shared === undefined) return false;
    symmetric.mixKey(shared);
    shared.fill(0);
    return true;
  }

  #readTokens(symmetric: SymmetricState, message: Uint8Array): { payload: Uint8Array; remoteEphemeral: Uint8Array | undefined; remoteStatic: Uint8Array | undefined } | undefined {
    let remoteEphemeral = this.#remoteEphemeral;
    let remoteStatic = this.#remoteStatic;
    let offset = 0;
    const take = (sizeBytes: number): Uint8Array | undefined => {
      if (message.length - offset < sizeBytes) return undefined;
      offset += sizeBytes;
      return message.slice(offset - sizeBytes, offset);
    };
    const tokens: readonly Token[] = this.#pattern.messages[this.#messageIndex] ?? [];
    for (const token of tokens) {
      if (token === 'e') {
        remoteEphemeral = take(publicKeySizeBytes);
        if (remoteEphemeral === undefined || !isUsablePublicKey(remoteEphemeral)) return undefined;
        this.#mixEphemeral(symmetric, remoteEphemeral);
      } else if (token === 's') {
        const sealed = take(publicKeySizeBytes + (symmetric.hasKey ? tagSizeBytes : 0));
        remoteStatic = sealed === undefined ? undefined : symmetric.decryptAndHash(sealed);
        if (remoteStatic === undefined || !isUsablePublicKey(remoteStatic)) return undefined;
      } else if (token === 'psk') {
        this.#mixPsk(symmetric);
      } else if (!this.#mixDh(symmetric, token, remoteEphemeral, remoteStatic)) {
        return undefined;
      }
    }
    const payload = symmetric.decryptAndHash(message.subarray(offset));
    return payload === undefined ? undefined : { payload, remoteEphemeral, remoteStatic };
  }

  #ownStatic(): KeyPair {
    if (this.#staticKeys === undefined) throw new NoiseError('wrong_key_material', 'the pattern sends a static key that was not given');
    return this.#staticKeys;
  }

  #advance(): void {
    this.#messageIndex += 1;
    if (this.#messageIndex < this.#pattern.messages.length) return;
    this.#phase = 'complete';
    this.#wipeKeys();
  }

  #splitOnce(): readonly [CipherState, CipherState] {
    if (this.#phase === 'split') throw new NoiseError('handshake_split', 'this handshake has been split already');
    if (this.#phase !== 'complete') throw new NoiseError('handshake_incomplete', 'only a complete handshake can be split');
    this.#phase = 'split';
    return this.#symmetric.split();
  }

  #wipeKeys(): void {
    for (const keys of [this.#ephemeralKeys, this.#fixedEphemeralKeys, this.#staticKeys]) keys?.secretKey.fill(0);
    for (const psk of this.#psks) psk.fill(0);
  }
}
