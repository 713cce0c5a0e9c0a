import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { concatBytes } from './bytes.ts';
import { decodeStorageReceipt, encodeStorageReceipt, signReceipts, signedReceiptMaximumBytes, storageReceiptBytes, verifySignedReceipt } from './receipt.ts';
import { bytesOf, deviceId, holdsAgainstNoise, holdsAsCodec, keyLike, u32, u64 } from './codec-testing.ts';
import { letterStates } from './types.ts';
import type { StorageReceipt } from './types.ts';

const seed = new Uint8Array(32).fill(9);
const publicKey = nobleCrypto.ed25519PublicKey(seed);
const receipt: fc.Arbitrary<StorageReceipt> = fc.record({
  letterId: bytesOf(32), recipient: keyLike, deviceId, state: fc.constantFrom(...letterStates), expiresInSeconds: u32, storedAtMs: u64, epoch: bytesOf(8),
});
const batch = (count: number): StorageReceipt[] => fc.sample(receipt, { numRuns: count, seed: count });

describe('storage receipts', () => {
  it('round-trip in 102 bytes', () => {
    holdsAsCodec({ values: receipt, encode: encodeStorageReceipt, decode: decodeStorageReceipt, selfDelimiting: true });
    fc.assert(fc.property(receipt, (value) => { expect(encodeStorageReceipt(value)).toHaveLength(storageReceiptBytes); }));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17, 33])('each of %i under one signature verifies', (count) => {
    const receipts = batch(count);
    const signed = signReceipts(nobleCrypto, receipts.map(encodeStorageReceipt), seed);
    expect(new Set(signed.map((bytes) => bytes.subarray(-64).join())).size).toBe(1);
    expect(signed.map((bytes) => verifySignedReceipt(nobleCrypto, bytes, publicKey))).toEqual(receipts);
  });

  it('builds the tree that the protocol describes', () => {
    const leaves = batch(3).map(encodeStorageReceipt);
    const [a, b, c] = leaves.map((leaf) => nobleCrypto.blake3(concatBytes(Uint8Array.of(0), leaf)));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three leaves expected');
    const ab = nobleCrypto.blake3(concatBytes(Uint8Array.of(1), a, b));
    const root = nobleCrypto.blake3(concatBytes(Uint8Array.of(1), ab, c));
    const signature = nobleCrypto.ed25519Sign(concatBytes(new TextEncoder().encode('waypost storage receipt v1\0'), root), seed);
    const [first, second, third] = signReceipts(nobleCrypto, leaves, seed).map((bytes) => bytes.subarray(storageReceiptBytes));
    expect(first).toEqual(concatBytes(Uint8Array.of(0, 0, 0, 0, 2), b, c, signature));
    expect(second).toEqual(concatBytes(Uint8Array.of(0, 0, 0, 1, 2), a, c, signature));
    // Moved up once without a sibling, then stood on the right.
    expect(third).toEqual(concatBytes(Uint8Array.of(0, 0, 0, 1, 1), ab, signature));
  });

  it('no changed, cut or lengthened receipt verifies', () => {
    const signed = signReceipts(nobleCrypto, batch(5).map(encodeStorageReceipt), seed);
    fc.assert(fc.property(fc.constantFrom(...signed), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, position, change) => {
      const at = position % bytes.length;
      expect(verifySignedReceipt(nobleCrypto, bytes.with(at, (bytes[at] ?? 0) ^ change), publicKey)).toBeUndefined();
      expect(verifySignedReceipt(nobleCrypto, bytes.subarray(0, at), publicKey)).toBeUndefined();
      expect(verifySignedReceipt(nobleCrypto, Uint8Array.of(...bytes, change), publicKey)).toBeUndefined();
    }), { numRuns: 60 });
  });

  it('does not verify under another relay, and nothing is signed for nobody', () => {
    const [signed = new Uint8Array(0)] = signReceipts(nobleCrypto, batch(1).map(encodeStorageReceipt), seed);
    expect(verifySignedReceipt(nobleCrypto, signed, nobleCrypto.ed25519PublicKey(new Uint8Array(32).fill(8)))).toBeUndefined();
    expect(signReceipts(nobleCrypto, [], seed)).toEqual([]);
  });

  it('verifying never throws', () => {
    holdsAgainstNoise((bytes) => verifySignedReceipt(nobleCrypto, bytes, publicKey));
    holdsAgainstNoise(decodeStorageReceipt);
    expect(verifySignedReceipt(nobleCrypto, new Uint8Array(signedReceiptMaximumBytes), publicKey)).toBeUndefined();
  });
});
