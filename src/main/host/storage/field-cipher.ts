/**
 * Seals single columns under the profile's local key: XChaCha20-Poly1305 with a random 24-byte nonce in front (draft-irtf-cfrg-xchacha:
 * random nonces of that size do not collide in the life of a key), so that a copied database file shows no text, token or secret key.
 */
import { randomBytes } from 'node:crypto';
import sodium from 'sodium-native';
import type { FieldCipher } from '../../engine/mail/visor-store.ts';

export const localKeySizeBytes = 32;
const nonceSizeBytes = 24;
const tagSizeBytes = 16;

/** `key`: 32 bytes; it is kept, so the caller must not overwrite it while the cipher is in use. */
export function createFieldCipher(key: Uint8Array): FieldCipher {
  if (key.length !== localKeySizeBytes) throw new RangeError(`the local key has ${String(localKeySizeBytes)} bytes`);
  return {
    seal(plaintext) {
      const sealed = new Uint8Array(nonceSizeBytes + plaintext.length + tagSizeBytes);
      sealed.set(randomBytes(nonceSizeBytes));
      const nonce = sealed.subarray(0, nonceSizeBytes);
      sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.subarray(nonceSizeBytes), plaintext, null, null, nonce, key);
      return sealed;
    },
    open(sealed) {
      if (sealed.length < nonceSizeBytes + tagSizeBytes) return undefined;
      const plaintext = new Uint8Array(sealed.length - nonceSizeBytes - tagSizeBytes);
      try {
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, null, sealed.subarray(nonceSizeBytes), null, sealed.subarray(0, nonceSizeBytes), key);
      } catch {
        return undefined;
      }
      return plaintext;
    },
  };
}
