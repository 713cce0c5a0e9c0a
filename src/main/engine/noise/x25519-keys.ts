/**
 * X25519 keys: making a pair from the host's randomness, and which public keys are refused before any secret touches them.
 *
 * The points of small order give the same shared secret whatever our secret is. RFC 7748 section 6.1 lets the receiver find that out
 * from an all-zero result, but in a handshake the result may first be computed while *writing*: refusing the key on arrival keeps every
 * failure that others can cause inside reading. The list is complete: a clamped secret is a multiple of 8 below 8 times the order of
 * either prime-order subgroup, so no other point can give zero.
 */
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';

const secretKeySizeBytes = 32;
const publicKeySizeBytes = 32;

const point = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** Little-endian u coordinates with the top bit cleared: 0, 1, the two of order 8, and p - 1, p, p + 1 with p = 2^255 - 19. */
const smallOrderPoints: readonly Uint8Array[] = [
  point('0000000000000000000000000000000000000000000000000000000000000000'),
  point('0100000000000000000000000000000000000000000000000000000000000000'),
  point('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
  point('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  point('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  point('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  point('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
];

/** A fresh pair; what `HandshakeState` wants as `generateKeyPair`, once bound to a host's crypto and generator. */
export function generateKeyPair(crypto: Crypto, random: RandomBytes): KeyPair {
  const secretKey = random(secretKeySizeBytes);
  return { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
}

/** False for a wrong length or a point of small order. For keys from certificates and records, before they are dialled or sealed to. */
export function isUsablePublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === publicKeySizeBytes && !smallOrderPoints.some((refused) => equalsIgnoringTopBit(publicKey, refused));
}

/** X25519 ignores the top bit (RFC 7748 section 5), so each point has two spellings. Public data: leaving early tells nothing. */
function equalsIgnoringTopBit(publicKey: Uint8Array, refused: Uint8Array): boolean {
  for (let index = 0; index < publicKeySizeBytes - 1; index += 1) if (publicKey[index] !== refused[index]) return false;
  return ((publicKey[publicKeySizeBytes - 1] ?? 0) & 0x7f) === refused[publicKeySizeBytes - 1];
}
