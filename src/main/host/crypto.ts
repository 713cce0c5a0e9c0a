/**
 * The host's cryptography behind the engine's `Crypto` interface: libsodium (through sodium-native), BLAKE3 in WebAssembly since libsodium has
 * none, the system's random generator, and the choice between these and the slower @noble reference, which is never silent.
 *
 * sodium-native reads and writes plain Uint8Arrays, also views into larger buffers. Nothing here uses `sodium_malloc`: Electron's
 * memory cage forbids buffers from outside the JavaScript heap.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as sodiumNative from 'sodium-native';
import { blake3Module } from '../engine/blake3/blake3-module.ts';
import { createWasmBlake3 } from '../engine/blake3/blake3-wasm.ts';
import type { Blake3Tree } from '../engine/blake3/blake3-tree.ts';
import type { Crypto, RandomBytes } from '../engine/crypto.ts';
import { nobleCrypto } from '../engine/noble-crypto.ts';
import { ExpandedKeyCache } from './expanded-key-cache.ts';
import { selfTest } from './crypto-self-test.ts';

type Sodium = typeof sodiumNative;

const keySizeBytes = 32;
const signatureSizeBytes = 64;
const nonceSizeBytes = 12;
const tagSizeBytes = 16;
const hashSizeBytes = 32;
/** SHA-256 works on blocks of 64 bytes, to which HMAC pads its key (RFC 2104). */
const hmacBlockSizeBytes = 64;
const innerPad = 0x36;
const outerPad = 0x5c;

const usedFunctions = [
  'crypto_aead_chacha20poly1305_ietf_encrypt', 'crypto_aead_chacha20poly1305_ietf_decrypt', 'crypto_scalarmult_base', 'crypto_scalarmult',
  'crypto_sign_seed_keypair', 'crypto_sign_detached', 'crypto_sign_verify_detached', 'crypto_hash_sha256',
] as const satisfies readonly (keyof Sodium)[];

export interface CryptoChoice {
  readonly crypto: Crypto;
  /** Why libsodium is not used; present exactly when `crypto` is the slower reference. For diagnostics and the UI. */
  readonly fallbackReason?: string;
}

/** Loads libsodium and BLAKE3 and lets them prove themselves; otherwise the reference with the reason. What loads is replaced in tests. */
export function chooseCrypto(load: () => unknown = loadSodium, loadBlake3: () => Uint8Array<ArrayBuffer> = blake3Module): CryptoChoice {
  let sodium: unknown;
  try {
    sodium = load();
  } catch (error) {
    return { crypto: nobleCrypto, fallbackReason: `libsodium does not load: ${firstLine(error)}` };
  }
  if (!isSodium(sodium)) return { crypto: nobleCrypto, fallbackReason: 'libsodium loads but lacks functions that are needed' };
  let tree: Blake3Tree;
  try {
    tree = createWasmBlake3(loadBlake3());
  } catch (error) {
    return { crypto: nobleCrypto, fallbackReason: `BLAKE3 in WebAssembly does not load: ${firstLine(error)}` };
  }
  const crypto = createSodiumCrypto(sodium, tree);
  const failure = selfTest(crypto);
  return failure === undefined ? { crypto } : { crypto: nobleCrypto, fallbackReason: `libsodium fails its self-test: ${failure}` };
}

/** The system generator. A copy, because `randomBytes` may hand out slices of a shared pool. */
export function createRandomBytes(): RandomBytes {
  return (sizeBytes) => {
    const pooled = randomBytes(sizeBytes);
    const bytes = Uint8Array.from(pooled);
    pooled.fill(0);
    return bytes;
  };
}

function createSodiumCrypto(sodium: Sodium, tree: Blake3Tree): Crypto {
  const expandedKeys = new ExpandedKeyCache((publicKey, secretKey, seed) => sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed));

  const sha256 = (data: Uint8Array): Uint8Array => {
    const hash = new Uint8Array(hashSizeBytes);
    sodium.crypto_hash_sha256(hash, data);
    return hash;
  };

  const sealInto = (key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void => {
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(output, plaintext, associatedData, null, nonce, key);
  };

  const openInto = (key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array, output: Uint8Array): boolean => {
    if (ciphertext.length < tagSizeBytes) return false;
    // Own sizes are checked apart, so that a mistake of ours does not look like a forged packet.
    if (key.length !== keySizeBytes || nonce.length !== nonceSizeBytes || output.length !== ciphertext.length - tagSizeBytes) {
      throw new RangeError(`key, nonce and output must have ${keySizeBytes}, ${nonceSizeBytes} and ${ciphertext.length - tagSizeBytes} bytes, got ${key.length}, ${nonce.length} and ${output.length}`);
    }
    try {
      // The binding returns its status through an unsigned type: anything but the exact size is not a success.
      return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(output, null, ciphertext, associatedData, nonce, key) === output.length;
    } catch {
      return false;
    }
  };

  return {
    implementation: 'libsodium',

    x25519PublicKey(secretKey) {
      const publicKey = new Uint8Array(keySizeBytes);
      sodium.crypto_scalarmult_base(publicKey, secretKey);
      return publicKey;
    },

    x25519(secretKey, publicKey) {
      if (publicKey.length !== keySizeBytes) return undefined;
      if (secretKey.length !== keySizeBytes) throw new RangeError(`secretKey must have ${keySizeBytes} bytes, got ${secretKey.length}`);
      const shared = new Uint8Array(keySizeBytes);
      try {
        sodium.crypto_scalarmult(shared, secretKey, publicKey);
      } catch {
        // Sizes are right, so this is libsodium refusing a point of small order.
        return undefined;
      }
      return shared;
    },

    ed25519PublicKey: (seed) => expandedKeys.get(seed).publicKey.slice(),

    ed25519Sign(message, seed) {
      const signature = new Uint8Array(signatureSizeBytes);
      sodium.crypto_sign_detached(signature, message, expandedKeys.get(seed).secretKey);
      return signature;
    },

    ed25519Verify(signature, message, publicKey) {
      // sodium-native looks at the first 64 bytes of a longer signature, so that two byte strings would verify.
      if (signature.length !== signatureSizeBytes || publicKey.length !== keySizeBytes) return false;
      return sodium.crypto_sign_verify_detached(signature, message, publicKey);
    },

    aeadSeal(key, nonce, associatedData, plaintext) {
      const ciphertext = new Uint8Array(plaintext.length + tagSizeBytes);
      sealInto(key, nonce, associatedData, plaintext, ciphertext);
      return ciphertext;
    },

    aeadOpen(key, nonce, associatedData, ciphertext) {
      if (ciphertext.length < tagSizeBytes) return undefined;
      const plaintext = new Uint8Array(ciphertext.length - tagSizeBytes);
      return openInto(key, nonce, associatedData, ciphertext, plaintext) ? plaintext : undefined;
    },

    aeadSealInto: sealInto,
    aeadOpenInto: openInto,

    sha256,

    /** sodium-native has no HMAC-SHA256, so RFC 2104 over its SHA-256, in two one-shot hashes. */
    hmacSha256(key, data) {
      const shortKey = key.length > hmacBlockSizeBytes ? sha256(key) : key;
      const inner = new Uint8Array(hmacBlockSizeBytes + data.length).fill(innerPad, 0, hmacBlockSizeBytes);
      const outer = new Uint8Array(hmacBlockSizeBytes + hashSizeBytes).fill(outerPad, 0, hmacBlockSizeBytes);
      for (let index = 0; index < shortKey.length; index += 1) {
        const byte = shortKey[index] ?? 0;
        inner[index] = byte ^ innerPad;
        outer[index] = byte ^ outerPad;
      }
      inner.set(data, hmacBlockSizeBytes);
      outer.set(sha256(inner), hmacBlockSizeBytes);
      const tag = sha256(outer);
      inner.fill(0);
      outer.fill(0);
      return tag;
    },

    tree,
    blake3: (data) => tree.hash(data),
  };
}

function loadSodium(): unknown {
  return createRequire(import.meta.url)('sodium-native');
}

function isSodium(value: unknown): value is Sodium {
  if (typeof value !== 'object' || value === null) return false;
  const candidate: Record<string, unknown> = { ...value };
  return usedFunctions.every((name) => typeof candidate[name] === 'function');
}

/** Loader errors go on for a page of paths; the first line says what is wrong. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? 'unknown reason';
}
