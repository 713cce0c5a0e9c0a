/** The two functions of sodium-native 5 that `field-cipher.ts` uses beyond those declared in `src/types`. Both throw as described there. */
declare module 'sodium-native' {
  export function crypto_aead_xchacha20poly1305_ietf_encrypt(
    ciphertext: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array | null, secretNonce: null, nonce: Uint8Array, key: Uint8Array,
  ): number;
  export function crypto_aead_xchacha20poly1305_ietf_decrypt(
    plaintext: Uint8Array, secretNonce: null, ciphertext: Uint8Array, associatedData: Uint8Array | null, nonce: Uint8Array, key: Uint8Array,
  ): number;
}
