/**
 * Keys as words of the BIP-39 English list: the 24 words that bring an identity back, and the 6 that two people compare.
 * The 24 words are the secret key itself (as BIP-39 entropy) rather than a seed, so that a key imported from elsewhere has words too.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { fromHex } from './bytes.ts';
import { inDomain } from './domain.ts';
import type { PublicKeyHex } from './types.ts';

const secretWordCount = 24;
/** 24 words of at most 8 letters take 215 characters; numbering and line breaks may double that. */
const wordsTextMaximumCharacters = 1_000;

/** 66 bits: enough that nobody finds a second key with the same words while two people read them out. */
const fingerprintWordCount = 6;
const bitsPerWord = 11;

const knownWords: ReadonlySet<string> = new Set(wordlist);

export type SecretKeyFromWords =
  | { readonly ok: true; readonly secretKey: Uint8Array }
  /** `word` is the first that is not in the list. `key`: the words are in order, but stand for a number that cannot be a key. */
  | { readonly ok: false; readonly reason: 'count' | 'word' | 'checksum' | 'key'; readonly word?: string };

/** 24 words. @throws RangeError when `secretKey` is not a valid one. */
export function wordsFromSecretKey(secretKey: Uint8Array): string[] {
  if (!secp256k1.utils.isValidSecretKey(secretKey)) throw new RangeError('not a secp256k1 secret key');
  return entropyToMnemonic(secretKey, wordlist).split(' ');
}

/** Case, line breaks, commas and numbering (`1. apple`) do not matter: people copy words from paper. */
export function secretKeyFromWords(text: string): SecretKeyFromWords {
  if (text.length > wordsTextMaximumCharacters) return { ok: false, reason: 'count' };
  const words = text.normalize('NFKD').toLowerCase().split(/[\s,;:.()0-9]+/u).filter((word) => word !== '');
  const unknown = words.find((word) => !knownWords.has(word));
  if (unknown !== undefined) return { ok: false, reason: 'word', word: unknown };
  if (words.length !== secretWordCount) return { ok: false, reason: 'count' };
  let secretKey: Uint8Array;
  try {
    secretKey = mnemonicToEntropy(words.join(' '), wordlist);
  } catch {
    return { ok: false, reason: 'checksum' };
  }
  return secp256k1.utils.isValidSecretKey(secretKey) ? { ok: true, secretKey } : { ok: false, reason: 'key' };
}

/** Six words separated by spaces; the same for everybody who has this key. @throws RangeError when it is not 66 hex digits. */
export function fingerprintWords(publicKey: PublicKeyHex): string {
  const key = fromHex(publicKey);
  if (key === undefined || key.length !== 33) throw new RangeError('not a public key of 66 hex digits');
  const digest = sha256(inDomain('waypost fingerprint v1', key));
  const words: string[] = [];
  for (let bit = 0; bit < fingerprintWordCount * bitsPerWord; bit += bitsPerWord) {
    let index = 0;
    for (let at = bit; at < bit + bitsPerWord; at += 1) {
      index = index * 2 + (((digest[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    words.push(wordlist[index] ?? '');
  }
  return words.join(' ');
}
