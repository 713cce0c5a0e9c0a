/**
 * LockStep: every packet of a content is authenticated by itself, when it comes, for one leaf hash and at most one parent.
 *
 * WHAT IT IS FOR. Content is pulled from whoever has it: its sender, a relay, a friend's visor. Checking the hash at the end would let one bad
 * packet spoil gigabytes and would not say whose it was. Here the requester knows root and length beforehand (the letter that names the content
 * says them), and each fragment comes with what proves it. A bad one is refused and asked for elsewhere; what has been verified stays.
 *
 * THE TREE is BLAKE3's own (engine/blake3), so the root is the ordinary BLAKE3 hash of the content, whatever the leaf size. A leaf is 1 KiB,
 * or a *leaf group* of 2, 4 ... 32 KiB where the path carries such datagrams: then fewer hashes travel, and four chunks are hashed at a time.
 * Groups are subtrees of the same tree, so holders with different datagram sizes serve one content.
 *
 * THE PAIR RULE (Lackman's order; "LockStep Streaming", Urbit Systems Technical Journal, volume 3, issue 1). Before leaf i the requester knows
 * nodes that cover everything from i on: its *frontier*. The fragment of leaf i > 0 carries two hashes, the children of the node
 * that starts 2^ctz(i) leaves on and is twice that wide (none where that node is not larger than one child). The node is known, so they are
 * checked by one parent; they are known from now on, and are due again when they are needed in their turn. No packet needs more than
 * one pair, and the frontier never has more than floor(log2 n) + 2 hashes. A tree whose shape is not a power of two needs no special case
 * when nodes are named by where they start and cut off at the end.
 *
 * THE PROOF gives the first frontier: the value of leaf i and its siblings up to the root (*path*). For i = 0 that is all. For a seek it has to
 * make up for earlier pairs as well, that took nodes on the right apart along their left edges (*ahead*). Both are checked when they
 * come, the second against nodes of the first. They travel together while they fit a fragment's datagram, which is always so up
 * to 128 MiB of 1 KiB leaves, and for the proof of leaf 0. One leaf needs no proof, since its value is the root; the first of two to four
 * leaves carries its proof where the pair would be.
 *
 * ORDER. Fragments are verified in order within a *strand*. One that comes early is hashed at once and kept, within a bound; if it does not
 * prove when its turn comes, it alone is dropped, its source is named, and it is asked for again. A proof for any leaf begins another strand there:
 * seek, resume, and several sources that work on different stretches are the same thing. Strands that meet are joined.
 *
 * ONE ENCODING. All lengths follow from the content's length and the leaf size, so payloads have no length fields, and what has the wrong length is
 * refused unread. Memory is taken by what the caller allows and by what was verified, never by what a packet says.
 *
 * PUBLISHERS keep a *record* for each content (record.ts): tree values, made once as the bytes go by (builder.ts), from which everything is
 * answered by pure functions, for leaf groups of any size; it can be stored (record-codec.ts). RESUMING stores only which leaves were verified (snapshot.ts) and asks for a proof again.
 *
 * NOT HERE: what is asked of whom and when, and how the payloads are named and carried (engine/directed).
 *
 * FILES. geometry.ts: shapes and the pair rule. codec.ts: payloads. verifier.ts, verdicts.ts, strands.ts, frontier.ts, kept.ts, leaf-values.ts: the requester. node-levels.ts,
 * record.ts, record-codec.ts, builder.ts: the publisher.
 *
 * Sources: the paper above; J. O'Connor and others, "BLAKE3" (the tree, section 2.1); P. Champine, ePrint 2021/038 (binary numeral trees); the
 * Bao specification (github.com/oconnor663/bao), which interleaves the same tree in pre-order and so needs several hashes in a row.
 */
import { geometryOf } from './geometry.ts';
import { decodeSnapshot } from './snapshot.ts';
import { LockstepVerifier } from './verifier.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { ContentName } from '../wire/types.ts';
import type { VerifierOptions } from './verifier.ts';

export { recordOf, startRecord } from './builder.ts';
export type { LockstepBuilder } from './builder.ts';
export { encodeFragment } from './codec.ts';
export type { LockstepRecord, ReadBlock } from './record.ts';
export { decodeRecord, encodeRecord, storedRecordMaximumBytes } from './record-codec.ts';
export { encodeSnapshot } from './snapshot.ts';
export type { FragmentVerdict, IncomingFragment, LeafSink, ProofVerdict, Refusal } from './verdicts.ts';
export type { LockstepVerifier } from './verifier.ts';

type VerifierSettings = Pick<VerifierOptions, 'sink' | 'keptMaximumBytes' | 'strandsMaximum'>;

/** Undefined when the name's length cannot be a content's in leaf groups of 2^groupShift KiB. */
export function createVerifier(tree: Blake3Tree, name: ContentName, groupShift: number, settings: VerifierSettings): LockstepVerifier | undefined {
  const geometry = geometryOf(name.length, groupShift);
  return geometry === undefined ? undefined : new LockstepVerifier(tree, { ...settings, root: name.root, geometry });
}

/** Goes on from a stored snapshot. Undefined when it is damaged, of a newer version, or of another content. */
export function resumeVerifier(tree: Blake3Tree, name: ContentName, stored: Uint8Array, settings: VerifierSettings): LockstepVerifier | undefined {
  const snapshot = decodeSnapshot(stored);
  if (snapshot?.geometry.lengthBytes !== name.length || !name.root.every((byte, position) => snapshot.root[position] === byte)) return undefined;
  return new LockstepVerifier(tree, { ...settings, root: name.root, geometry: snapshot.geometry, verified: snapshot.verified });
}
