/**
 * The part of sodium-native 5 that `src/main/host/crypto.ts` uses. The package ships no types. Outputs are written into the first
 * argument; every function throws on a wrong size and where libsodium returns an error, except where the comment says otherwise.
 */
declare module 'sodium-native' {
  export function crypto_aead_chacha20poly1305_ietf_encrypt(
    ciphertext: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array | null, secretNonce: null, nonce: Uint8Array, key: Uint8Array,
  ): number;
  /** Throws when the tag does not match. Returns the size of the plaintext. */
  export function crypto_aead_chacha20poly1305_ietf_decrypt(
    plaintext: Uint8Array, secretNonce: null, ciphertext: Uint8Array, associatedData: Uint8Array | null, nonce: Uint8Array, key: Uint8Array,
  ): number;
  export function crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void;
  /** Throws when the result is all zero. */
  export function crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void;
  export function crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  export function crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
  /** Accepts a `signature` longer than 64 bytes: check the size before. */
  export function crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  export function crypto_hash_sha256(hash: Uint8Array, data: Uint8Array): void;
}
