/**
 * The cryptographic operations that the engine is handed by its host. The host supplies libsodium through sodium-native, and BLAKE3 from
 * engine/blake3; tests compare them with the @noble reference. Nothing here draws randomness.
 *
 * secp256k1 (identity signatures) comes straight from @noble in the engine: it is pure.
 */
import type { Blake3Tree } from './blake3/blake3-tree.ts';

export interface KeyPair {
  /** 32 bytes. */
  readonly secretKey: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface Crypto {
  /** Names the implementation for diagnostics, so that a fallback is visible ("libsodium" or "noble"). */
  readonly implementation: 'libsodium' | 'noble';
  /** X25519 public key of a 32-byte secret (RFC 7748). */
  x25519PublicKey(secretKey: Uint8Array): Uint8Array;
  /** X25519 shared secret; undefined when the result is all zero (a low-order public key, RFC 7748 section 6.1). */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** Ed25519 public key of a 32-byte seed (RFC 8032). */
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  /** 64-byte Ed25519 signature. */
  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array;
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  /** ChaCha20-Poly1305 (RFC 8439): ciphertext followed by the 16-byte tag. key 32 bytes, nonce 12 bytes. */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Undefined when the tag does not match or the input is shorter than a tag. */
  aeadOpen(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /** As `aeadSeal`, into `output`, which has exactly the plaintext's length and 16 bytes more. It may begin where the plaintext begins. */
  aeadSealInto(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void;
  /**
   * As `aeadOpen`, into `output`, which has exactly the ciphertext's length without the tag. It may begin where the ciphertext begins: packets are
   * opened where they lie. False when the tag does not match; what `output` holds then is worth nothing.
   */
  aeadOpenInto(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array, output: Uint8Array): boolean;
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** The values of BLAKE3's tree, for checking pieces of a content (engine/lockstep). */
  readonly tree: Blake3Tree;
  /** BLAKE3-256; 32 bytes. */
  blake3(data: Uint8Array): Uint8Array;
}

/** Fills and returns `sizeBytes` of randomness; the host's system generator, or a seeded one in the simulated world. */
export type RandomBytes = (sizeBytes: number) => Uint8Array;
