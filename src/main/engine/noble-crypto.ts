/**
 * The `Crypto` interface over the audited @noble packages: what tests compare libsodium with, and what the host falls back to, visibly,
 * where libsodium does not load. Ten times slower on packets; correct everywhere.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { referenceBlake3 } from './blake3/blake3-reference.ts';
import type { Crypto } from './crypto.ts';

const secretKeySizeBytes = 32;
const publicKeySizeBytes = 32;
const signatureSizeBytes = 64;
const aeadKeySizeBytes = 32;
const nonceSizeBytes = 12;
const tagSizeBytes = 16;

export const nobleCrypto: Crypto = {
  implementation: 'noble',

  x25519PublicKey: (secretKey) => x25519.getPublicKey(secretKey),

  x25519(secretKey, publicKey) {
    if (publicKey.length !== publicKeySizeBytes) return undefined;
    // A malformed own secret is a mistake and throws; what throws below can then only be the other side's key.
    if (secretKey.length !== secretKeySizeBytes) throw new RangeError(`secretKey must have ${secretKeySizeBytes} bytes, got ${secretKey.length}`);
    try {
      return x25519.getSharedSecret(secretKey, publicKey);
    } catch {
      return undefined;
    }
  },

  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (message, seed) => ed25519.sign(message, seed),

  ed25519Verify(signature, message, publicKey) {
    if (signature.length !== signatureSizeBytes || publicKey.length !== publicKeySizeBytes) return false;
    // RFC 8032 rather than ZIP 215: canonical encodings only, and no keys of small order, as libsodium decides too.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  },

  aeadSeal: (key, nonce, associatedData, plaintext) => chacha20poly1305(key, nonce, associatedData).encrypt(plaintext),

  aeadOpen(key, nonce, associatedData, ciphertext) {
    if (ciphertext.length < tagSizeBytes) return undefined;
    // Own sizes are checked apart, so that a mistake of ours does not look like a forged packet.
    if (key.length !== aeadKeySizeBytes || nonce.length !== nonceSizeBytes) {
      throw new RangeError(`key and nonce must have ${aeadKeySizeBytes} and ${nonceSizeBytes} bytes, got ${key.length} and ${nonce.length}`);
    }
    const cipher = chacha20poly1305(key, nonce, associatedData);
    try {
      return cipher.decrypt(ciphertext);
    } catch {
      return undefined;
    }
  },

  aeadSealInto(key, nonce, associatedData, plaintext, output) {
    if (output.length !== plaintext.length + tagSizeBytes) throw new RangeError(`output must have ${plaintext.length + tagSizeBytes} bytes, got ${output.length}`);
    output.set(nobleCrypto.aeadSeal(key, nonce, associatedData, plaintext));
  },

  aeadOpenInto(key, nonce, associatedData, ciphertext, output) {
    if (ciphertext.length < tagSizeBytes) return false;
    if (output.length !== ciphertext.length - tagSizeBytes) throw new RangeError(`output must have ${ciphertext.length - tagSizeBytes} bytes, got ${output.length}`);
    const plaintext = nobleCrypto.aeadOpen(key, nonce, associatedData, ciphertext);
    if (plaintext !== undefined) output.set(plaintext);
    return plaintext !== undefined;
  },

  sha256: (data) => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  tree: referenceBlake3,
  blake3: (data) => blake3(data),
};
