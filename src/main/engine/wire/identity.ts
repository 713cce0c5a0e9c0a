/**
 * The identity key: secp256k1, compressed, as dmsg has it. Checks, signs and verifies; its text forms are in `words.ts`.
 * Used for certificates and records only, never for packets: one verification costs about a thousand times an AEAD.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { fromHex, toHex } from './bytes.ts';
import { inDomain } from './domain.ts';
import type { IdentityDomain } from './domain.ts';
import type { PublicKeyHex } from './types.ts';

export { fingerprintWords, secretKeyFromWords, wordsFromSecretKey } from './words.ts';

export const publicKeyBytes = 33;
export const secretKeyBytes = 32;
export const identitySignatureBytes = 64;

const publicKeyPattern = /^0[23][0-9a-f]{64}$/;
const secretKeyPattern = /^[0-9a-fA-F]{64}$/;

/**
 * The library would hash by itself (`prehash`); it is given the digest instead, so that what is signed is written down here. Without
 * extra entropy it signs by RFC 6979: the same object always has the same signature. Only low S passes, so nobody can turn one valid
 * signature into another.
 */
const signatureOptions = { prehash: false, lowS: true, format: 'compact' } as const;

/** A scalar from 1 to the group order less 1. */
export function isValidSecretKey(secretKey: Uint8Array): boolean {
  return secretKey.length === secretKeyBytes && secp256k1.utils.isValidSecretKey(secretKey);
}

/** @throws RangeError when `secretKey` is not a valid one; nothing of it is in the message. */
export function identityPublicKey(secretKey: Uint8Array): PublicKeyHex {
  assertSecretKey(secretKey);
  return toHex(secp256k1.getPublicKey(secretKey, true));
}

/** Canonical text (lower case) of a point on the curve. Costs a square root: for what people enter, not for packets. */
export function isPublicKeyHex(text: string): boolean {
  if (!publicKeyPattern.test(text)) return false;
  const bytes = fromHex(text);
  return bytes !== undefined && secp256k1.utils.isValidPublicKey(bytes, true);
}

/** 64 bytes: r, s over SHA-256 of domain and bytes. @throws RangeError when `secretKey` is not a valid one. */
export function signIdentity(domain: IdentityDomain, bytes: Uint8Array, secretKey: Uint8Array): Uint8Array {
  assertSecretKey(secretKey);
  return secp256k1.sign(sha256(inDomain(domain, bytes)), secretKey, { ...signatureOptions, extraEntropy: false });
}

/** False for anything malformed, a key off the curve included. */
export function verifyIdentity(domain: IdentityDomain, bytes: Uint8Array, signature: Uint8Array, publicKey: PublicKeyHex): boolean {
  const key = publicKeyPattern.test(publicKey) ? fromHex(publicKey) : undefined;
  if (key === undefined || signature.length !== identitySignatureBytes) return false;
  try {
    return secp256k1.verify(signature, sha256(inDomain(domain, bytes)), key, signatureOptions);
  } catch {
    // The library throws for a key off the curve or numbers outside the group.
    return false;
  }
}

/** A Skywire secret key as its configuration files have it: 64 hex digits; undefined when it is not a key. */
export function secretKeyFromHex(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  const secretKey = secretKeyPattern.test(trimmed) ? fromHex(trimmed) : undefined;
  return secretKey !== undefined && isValidSecretKey(secretKey) ? secretKey : undefined;
}

function assertSecretKey(secretKey: Uint8Array): void {
  if (!isValidSecretKey(secretKey)) throw new RangeError('not a secp256k1 secret key');
}
