/**
 * Storage receipts: a relay's signed word that it holds a letter until a time. All receipts of one group commit share one signature, over
 * the root of a Merkle tree of them, so that signing does not limit how many letters a relay can store.
 */
import type { Crypto } from '../crypto.ts';
import { Reader, Writer, concatBytes } from './bytes.ts';
import { inDomain } from './domain.ts';
import { readChoice, readDeviceId, readPublicKey, writeChoice, writeDeviceId, writePublicKey } from './fields.ts';
import { letterStates } from './types.ts';
import type { StorageReceipt } from './types.ts';

export const storageReceiptBytes = 102;
const hashBytes = 32;
const epochBytes = 8;
const signatureBytes = 64;

/** 65,536 receipts under one signature; more would not be one commit. */
const siblingsMaximum = 16;
const batchMaximum = 2 ** siblingsMaximum;
/** Receipt, sides, sibling count, siblings, signature. */
export const signedReceiptMaximumBytes = storageReceiptBytes + 4 + 1 + siblingsMaximum * hashBytes + signatureBytes;

const leafPrefix = Uint8Array.of(0x00);
const nodePrefix = Uint8Array.of(0x01);

export function encodeStorageReceipt(receipt: StorageReceipt): Uint8Array {
  const writer = new Writer(storageReceiptBytes).bytes(receipt.letterId, hashBytes);
  writePublicKey(writer, receipt.recipient);
  writeDeviceId(writer, receipt.deviceId);
  writeChoice(writer, letterStates, receipt.state);
  return writer.seconds(receipt.expiresInSeconds).u64(receipt.storedAtMs).bytes(receipt.epoch, epochBytes).finish();
}

/** The receipt alone, without its proof: exactly 102 bytes. */
export function decodeStorageReceipt(bytes: Uint8Array): StorageReceipt | undefined {
  const reader = new Reader(bytes);
  const letterId = reader.bytes(hashBytes);
  const recipient = readPublicKey(reader);
  const deviceId = readDeviceId(reader);
  const state = readChoice(reader, letterStates);
  const expiresInSeconds = reader.u32();
  const storedAtMs = reader.u64();
  const epoch = reader.bytes(epochBytes);
  return reader.atEnd ? { letterId, recipient, deviceId, state, expiresInSeconds, storedAtMs, epoch } : undefined;
}

/** A node on its way to the root, with the leaves below it. */
interface Node { readonly hash: Uint8Array; readonly leaves: readonly Proof[] }
interface Proof { sides: number; readonly siblings: Uint8Array[] }

/**
 * Each receipt with its path and the signature that all share, in the order given; what `deposit` answers.
 * @param receipts encoded receipts, at most 65,536. @param ed25519Seed the relay's device key, 32 bytes.
 */
export function signReceipts(crypto: Crypto, receipts: readonly Uint8Array[], ed25519Seed: Uint8Array): Uint8Array[] {
  if (receipts.length === 0) return [];
  if (receipts.length > batchMaximum) throw new RangeError(`at most ${String(batchMaximum)} receipts share a signature, got ${String(receipts.length)}`);
  const proofs = receipts.map((): Proof => ({ sides: 0, siblings: [] }));
  let level: readonly Node[] = receipts.map((receipt, index) => ({ hash: leafHash(crypto, receipt), leaves: proofs.slice(index, index + 1) }));
  while (level.length > 1) level = nextLevel(crypto, level);
  const signature = crypto.ed25519Sign(inDomain('waypost storage receipt v1', level[0]?.hash ?? new Uint8Array(0)), ed25519Seed);
  return receipts.map((receipt, index) => {
    const proof = proofs[index] ?? { sides: 0, siblings: [] };
    return new Writer(storageReceiptBytes + 5 + proof.siblings.length * hashBytes + signatureBytes)
      .bytes(receipt, storageReceiptBytes).u32(proof.sides).u8(proof.siblings.length)
      .bytes(concatBytes(...proof.siblings)).bytes(signature, signatureBytes).finish();
  });
}

/** The receipt inside, when its path leads to a root that `ed25519PublicKey` signed; undefined otherwise. */
export function verifySignedReceipt(crypto: Crypto, bytes: Uint8Array, ed25519PublicKey: Uint8Array): StorageReceipt | undefined {
  if (bytes.length > signedReceiptMaximumBytes) return undefined;
  const reader = new Reader(bytes);
  const encoded = reader.bytes(storageReceiptBytes);
  const sides = reader.u32();
  const siblingCount = reader.u8();
  // One receipt has one encoding: sides beyond the path would be bits that anybody may change.
  if (siblingCount > siblingsMaximum || sides >= 2 ** siblingCount) return undefined;
  const siblings = Array.from({ length: siblingCount }, () => reader.bytes(hashBytes));
  const signature = reader.bytes(signatureBytes);
  const receipt = decodeStorageReceipt(encoded);
  if (!reader.atEnd || receipt === undefined) return undefined;
  const root = siblings.reduce(
    (hash, sibling, depth) => ((sides >> depth) & 1) === 1 ? nodeHash(crypto, sibling, hash) : nodeHash(crypto, hash, sibling),
    leafHash(crypto, encoded),
  );
  return crypto.ed25519Verify(signature, inDomain('waypost storage receipt v1', root), ed25519PublicKey) ? receipt : undefined;
}

function nextLevel(crypto: Crypto, level: readonly Node[]): readonly Node[] {
  const next: Node[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = [level[index], level[index + 1]];
    if (left === undefined) break;
    // An odd last node moves up unchanged. Its leaves get no sibling here, which is why paths carry sides and not leaf numbers.
    next.push(right === undefined ? left : joinNodes(crypto, left, right));
  }
  return next;
}

function joinNodes(crypto: Crypto, left: Node, right: Node): Node {
  for (const leaf of left.leaves) leaf.siblings.push(right.hash);
  for (const leaf of right.leaves) {
    leaf.sides += 2 ** leaf.siblings.length;
    leaf.siblings.push(left.hash);
  }
  return { hash: nodeHash(crypto, left.hash, right.hash), leaves: [...left.leaves, ...right.leaves] };
}

const leafHash = (crypto: Crypto, receipt: Uint8Array): Uint8Array => crypto.blake3(concatBytes(leafPrefix, receipt));
const nodeHash = (crypto: Crypto, left: Uint8Array, right: Uint8Array): Uint8Array => crypto.blake3(concatBytes(nodePrefix, left, right));
