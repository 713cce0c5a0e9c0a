/** Where identities come from: fresh randomness, 24 words, or a Skywire secret key; and the further keys of the helpers inside one profile. */
import { randomBytes } from 'node:crypto';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { WaypostError } from '../../shared/errors.ts';
import { utf8Encode } from '../engine/wire/bytes.ts';
import { isValidSecretKey, secretKeyFromHex, secretKeyFromWords } from '../engine/wire/identity.ts';

const secretKeySizeBytes = 32;
const derivationSalt = utf8Encode('waypost profile keys v1');

/** 32 bytes; one draw in 2^127 is no key and is drawn again. */
export function createIdentitySecret(): Uint8Array {
  for (;;) {
    const secret = Uint8Array.from(randomBytes(secretKeySizeBytes));
    if (isValidSecretKey(secret)) return secret;
  }
}

/** @throws WaypostError `wrong-words` with a sentence that says which or what is wrong, and never the words themselves but the unknown one. */
export function identitySecretFromWords(text: string): Uint8Array {
  const parsed = secretKeyFromWords(text);
  if (parsed.ok) return parsed.secretKey;
  switch (parsed.reason) {
    case 'count': throw new WaypostError('wrong-words', 'An identity has exactly 24 words. Check that none is missing and none is there twice.');
    case 'word': throw new WaypostError('wrong-words', `"${parsed.word ?? ''}" is not one of the words that Waypost uses. Check its spelling.`);
    case 'checksum': throw new WaypostError('wrong-words', 'These words do not belong together: one of them is wrong, or two have changed places.');
    case 'key': throw new WaypostError('wrong-words', 'These words stand for no identity. Check them one by one.');
  }
}

/** @throws WaypostError `wrong-secret-key` */
export function identitySecretFromHex(text: string): Uint8Array {
  const secret = secretKeyFromHex(text);
  if (secret === undefined) throw new WaypostError('wrong-secret-key', 'This is not a secret key: it has 64 hexadecimal digits, as "sk" in a Skywire configuration.');
  return secret;
}

/** 32 bytes that only this profile can make again; `label` separates the uses. */
export function deriveProfileKey(localKey: Uint8Array, label: string): Uint8Array {
  return hkdf(sha256, localKey, derivationSalt, utf8Encode(label), secretKeySizeBytes);
}

/** The identity of a helper inside this profile (its relay, Echo): stable, and kept nowhere but in the profile's own key. */
export function deriveHelperIdentity(localKey: Uint8Array, label: string): Uint8Array {
  for (let attempt = 0; ; attempt += 1) {
    const secret = deriveProfileKey(localKey, `${label} ${attempt}`);
    if (isValidSecretKey(secret)) return secret;
  }
}
