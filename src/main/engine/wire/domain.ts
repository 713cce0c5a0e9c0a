/**
 * What signatures are made over. Each kind of object has its own domain, so that a signature of one can never pass for another; the zero
 * byte at the end keeps a domain from being the beginning of a longer one.
 */
import { concatBytes, utf8Encode } from './bytes.ts';

/** Signed by the identity key (secp256k1). */
export type IdentityDomain = 'waypost device certificate v1' | 'waypost identity record v1' | 'waypost named record v1';
/** Signed by the device key (Ed25519). */
export type DeviceDomain = 'waypost prekey bundle v1' | 'waypost storage receipt v1';
/** Hashed only. */
export type HashDomain = 'waypost fingerprint v1';

export function inDomain(domain: IdentityDomain | DeviceDomain | HashDomain, bytes: Uint8Array): Uint8Array {
  return concatBytes(utf8Encode(`${domain}\0`), bytes);
}
