/** What a handshake is made from, and the check that the key material fits the pattern (Noise revision 34, sections 5.3 and 7.1). */
import type { Crypto, KeyPair } from '../crypto.ts';
import { NoiseError } from './noise-error.ts';
import type { HandshakePattern } from './patterns.ts';
import { isUsablePublicKey } from './x25519-keys.ts';

const keySizeBytes = 32;

export interface HandshakeOptions {
  readonly crypto: Crypto;
  /** `IK`, `XXpsk3` or a full protocol name of the suite 25519_ChaChaPoly_SHA256. */
  readonly pattern: string;
  readonly initiator: boolean;
  /** Bytes that both sides must hold alike; nothing of them is sent. */
  readonly prologue: Uint8Array;
  /** Own static key where the pattern uses one. Its bytes are copied; wiping the original stays the caller's. */
  readonly staticKeyPair?: KeyPair;
  /** The other side's static key where the pattern knows it beforehand; check it with `isUsablePublicKey` when it came from outside. */
  readonly remoteStatic?: Uint8Array;
  /** One 32-byte key for each psk modifier, in the order of their use. Copied. */
  readonly psks?: readonly Uint8Array[];
  /** Replaces `generateKeyPair` for published vectors and nothing else: an ephemeral key used twice gives up forward secrecy. */
  readonly ephemeralKeyPair?: KeyPair;
  /** Called at most once. The pair becomes the handshake's, which wipes it. */
  readonly generateKeyPair: () => KeyPair;
}

/** The parts that the handshake owns and wipes. */
export interface KeyMaterial {
  readonly staticKeys: KeyPair | undefined;
  readonly fixedEphemeralKeys: KeyPair | undefined;
  readonly remoteStatic: Uint8Array | undefined;
  readonly psks: readonly Uint8Array[];
}

/** Copies of the keys in `options`; throws `NoiseError` when one is missing, superfluous, of the wrong size or unusable. */
export function takeKeyMaterial(options: HandshakeOptions, pattern: HandshakePattern): KeyMaterial {
  const material: KeyMaterial = {
    staticKeys: copyKeyPair(options.staticKeyPair, 'static key'),
    fixedEphemeralKeys: copyKeyPair(options.ephemeralKeyPair, 'ephemeral key'),
    remoteStatic: options.remoteStatic === undefined ? undefined : copyKey(options.remoteStatic, 'remote static key'),
    psks: (options.psks ?? []).map((psk) => copyKey(psk, 'pre-shared key')),
  };
  const [ourRole, theirRole] = options.initiator ? ['initiator', 'responder'] as const : ['responder', 'initiator'] as const;
  const knows = (role: 'initiator' | 'responder'): boolean => pattern.knownStatics === 'both' || pattern.knownStatics === role;
  const sendsStatic = pattern.messages.some((tokens, index) => (index % 2 === 0) === options.initiator && tokens.includes('s'));
  if ((knows(ourRole) || sendsStatic) && material.staticKeys === undefined) {
    throw new NoiseError('wrong_key_material', `the ${ourRole} of ${pattern.name} needs a static key`);
  }
  if (knows(theirRole) !== (material.remoteStatic !== undefined)) {
    throw new NoiseError('wrong_key_material', `the ${ourRole} of ${pattern.name} ${knows(theirRole) ? 'needs' : 'must not be given'} the other side's static key`);
  }
  if (material.psks.length !== pattern.pskCount) {
    throw new NoiseError('wrong_key_material', `${pattern.name} needs ${pattern.pskCount} pre-shared keys, got ${material.psks.length}`);
  }
  if (material.remoteStatic !== undefined && !isUsablePublicKey(material.remoteStatic)) {
    throw new NoiseError('unusable_public_key', 'the remote static key is a point of small order');
  }
  return material;
}

function copyKey(key: Uint8Array, what: string): Uint8Array {
  if (key.length !== keySizeBytes) throw new NoiseError('wrong_key_material', `the ${what} must have ${keySizeBytes} bytes, got ${key.length}`);
  return key.slice();
}

function copyKeyPair(keys: KeyPair | undefined, what: string): KeyPair | undefined {
  if (keys === undefined) return undefined;
  return { secretKey: copyKey(keys.secretKey, what), publicKey: copyKey(keys.publicKey, what) };
}
