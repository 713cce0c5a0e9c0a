/**
 * The requester's side: takes proofs and fragments as they come, and hands on leaves that are proved, in order within each strand. A *strand* is
 * a stretch of verified leaves with the frontier at its end; there is one at the start of the content, and one more wherever a proof
 * was taken. A strand that reaches the next one is joined with it.
 *
 * Nothing that is refused changes any state. See lockstep.ts for the whole.
 */
import { chunkBytes, hashBytes } from '../blake3/blake3-layout.ts';
import { decodeProof, fragmentPayloadBytes, partHashes } from './codec.ts';
import { Frontier, pathLeadsTo } from './frontier.ts';
import { isHeaded, isLeaf, leafLength, pairBytes } from './geometry.ts';
import { KeptFragments } from './kept.ts';
import { rangesMaximum, snapshotBytes } from './snapshot.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { PayloadFault } from './codec.ts';
import type { Geometry } from './geometry.ts';
import type { LeafRange, Snapshot } from './snapshot.ts';

/**
 * The sender, or whoever passed it on, is at fault: `wrong-*` say which part does not lead to the root. A leaf that brings its proof along has
 * one reason for both, `wrong-leaf`.
 */
export type Refusal = PayloadFault | 'wrong-leaf' | 'wrong-pair' | 'wrong-path' | 'wrong-ahead';

/**
 * `verified`: handed on. `kept`: to be verified when what is before it has come. `duplicate`: it is here already. Nobody's fault, to be asked
 * for again when wanted: `beyond-window`, `no-room` (other early fragments fill it), `too-many-strands`, `path-first` (the second part of a
 * proof came before the first).
 */
export type FragmentVerdict = 'verified' | 'kept' | 'duplicate' | 'beyond-window' | 'no-room' | Exclude<Refusal, 'wrong-path' | 'wrong-ahead'>;
export type ProofVerdict = 'taken' | 'half-taken' | 'duplicate' | 'too-many-strands' | 'path-first' | Refusal;

/** Called from within `take...`; must not call the verifier. */
export interface LeafSink {
  /** The bytes belong to the caller of `take...` or to a buffer that is used again: copy what is kept. */
  verified(index: number, leaf: Uint8Array): void;
  /** A fragment that had been kept does not prove: it is to be asked for again, from somebody else than this source. */
  refused(index: number, source: number, reason: Refusal): void;
}

export interface IncomingFragment {
  readonly index: number;
  /** Not a view of the tree's window: other leaves are put there. */
  readonly payload: Uint8Array;
  /** Whatever number the caller gives its sources; only handed back. */
  readonly source: number;
}

export interface VerifierOptions {
  readonly root: Uint8Array;
  readonly geometry: Geometry;
  readonly sink: LeafSink;
  /** Bound of early fragments kept, in bytes; also how far ahead of a strand one may be. Default: 2 MiB. */
  readonly keptMaximumBytes?: number;
  /** Strands at a time, 1 to 64. Default: 16. */
  readonly strandsMaximum?: number;
  /** Leaves verified earlier, from a snapshot of the same root and geometry. */
  readonly verified?: readonly LeafRange[];
}

const keptMaximumBytesDefault = 2 * 1_048_576;
const strandsMaximumDefault = 16;
const keptMinimum = 4;

interface Strand {
  readonly start: number;
  /** The first leaf behind it. */
  next: number;
  frontier: Frontier | undefined;
  /** The verified first half of a proof for `next`. */
  path: Uint8Array | undefined;
}

const noHashes = new Uint8Array(0);

export class LockstepVerifier {
  readonly #tree: Blake3Tree;
  readonly #geometry: Geometry;
  readonly #root: Uint8Array;
  readonly #sink: LeafSink;
  readonly #kept: KeptFragments;
  readonly #windowLeaves: number;
  readonly #strandsMaximum: number;
  /** In order, none touching another. The first one starts at leaf 0 and may be empty. */
  readonly #strands: Strand[] = [];
  readonly #batchMaximum: number;
  /** Of a batch's leaves, and one more for a leaf that is hashed by itself. */
  readonly #values: Uint8Array;
  /** The hashed leaves of a batch, and where they stand in it. */
  readonly #indexes: number[] = [];
  readonly #positions: number[] = [];

  constructor(tree: Blake3Tree, options: VerifierOptions) {
    const { geometry } = options;
    this.#tree = tree;
    this.#geometry = geometry;
    this.#root = options.root.slice();
    this.#sink = options.sink;
    const payloadMaximumBytes = Math.min(geometry.leafBytes, geometry.lengthBytes) + pairBytes;
    const byMemory = Math.floor((options.keptMaximumBytes ?? keptMaximumBytesDefault) / (payloadMaximumBytes + hashBytes));
    this.#windowLeaves = Math.max(keptMinimum, byMemory);
    this.#kept = new KeptFragments(this.#windowLeaves, payloadMaximumBytes);
    this.#strandsMaximum = Math.min(options.strandsMaximum ?? strandsMaximumDefault, rangesMaximum);
    this.#batchMaximum = tree.windowBytes / chunkBytes;
    this.#values = new Uint8Array((this.#batchMaximum + 1) * hashBytes);
    this.#begin(options.verified ?? []);
  }

  get isComplete(): boolean { return this.#strands[0]?.next === this.#geometry.leafCount; }

  get keptCount(): number { return this.#kept.count; }

  /** Values held for what is to come, over all strands. */
  get valueCount(): number { return this.#strands.reduce((sum, { frontier }) => sum + (frontier?.valueCount ?? 0), 0); }

  get verifiedBytes(): number {
    return snapshotBytes({ geometry: this.#geometry, verified: this.verifiedRanges });
  }

  get verifiedRanges(): readonly LeafRange[] {
    return this.#strands.filter(({ start, next }) => next > start).map(({ start, next }) => ({ start, end: next }));
  }

  /** To be stored once the verified leaves are. */
  get snapshot(): Snapshot { return { root: this.#root, geometry: this.#geometry, verified: this.verifiedRanges }; }

  /** Nothing more has to be asked for about this leaf, unless it is refused later. */
  has(index: number): boolean {
    const strand = this.#strandBefore(index);
    return strand !== undefined && index < strand.next || this.#kept.has(index);
  }

  /** Whether a fragment of this leaf would be taken or kept now, and not be too early. */
  reaches(index: number): boolean {
    const strand = this.#strandBefore(index);
    return strand !== undefined && index - strand.next <= this.#windowLeaves;
  }

  /** Up to so many leaves that are missing, from the first gap on and in reach. */
  missing(countMaximum: number): readonly number[] {
    const leaves: number[] = [];
    for (const [position, { next }] of this.#strands.entries()) {
      const end = Math.min(this.#strands[position + 1]?.start ?? this.#geometry.leafCount, next + this.#windowLeaves + 1);
      for (let leaf = next; leaf < end; leaf += 1) {
        if (leaves.length === countMaximum) return leaves;
        if (!this.#kept.has(leaf)) leaves.push(leaf);
      }
    }
    return leaves;
  }

  /** Leaves whose proofs let a strand go on. Empty for single packets, and for up to four leaves at the start: those bring theirs along. */
  get proofsWanted(): readonly number[] {
    return this.#strands.filter(({ next, frontier }) => frontier === undefined && next < this.#geometry.leafCount && !isHeaded(this.#geometry, next)).map(({ next }) => next);
  }

  /** A proof, or a part of one, for the leaf `first`: a strand goes on there or a new one begins. */
  takeProof(first: number, payload: Uint8Array): ProofVerdict {
    const decoded = decodeProof(this.#geometry, first, payload);
    if (decoded.kind === 'refused') return decoded.reason;
    const { part, hashes } = decoded.value;
    const before = this.#strandBefore(first);
    if (before === undefined || first < before.next) return 'duplicate';
    const strand = before.next === first ? before : undefined;
    if (strand?.frontier !== undefined) return 'duplicate';
    if (part === 'ahead') {
      if (strand?.path === undefined) return 'path-first';
      return this.#goOn(strand, strand.path, hashes);
    }
    if (strand === undefined && this.#strands.length >= this.#strandsMaximum) return 'too-many-strands';
    const pathEnd = partHashes(this.#geometry, first, 'path') * hashBytes;
    const path = hashes.subarray(0, pathEnd);
    if (!pathLeadsTo(this.#tree, this.#geometry, first, path, this.#root)) return 'wrong-path';
    if (part === 'whole') {
      const frontier = Frontier.from(this.#tree, this.#geometry, first, path, hashes.subarray(pathEnd));
      if (frontier === undefined) return 'wrong-ahead';
      this.#setFrontier(strand ?? this.#insert(first), frontier);
      return 'taken';
    }
    (strand ?? this.#insert(first)).path = path.slice();
    return 'half-taken';
  }

  takeFragment(index: number, payload: Uint8Array, source: number): FragmentVerdict {
    return this.#takeAlone(index, payload, source, 0);
  }

  /** What came in one turn, in any order: leaves of 1 KiB are hashed four at a time. `verdicts` gets one for each, from its start. */
  takeFragments(fragments: readonly IncomingFragment[], verdicts: FragmentVerdict[]): void {
    verdicts.length = 0;
    for (let from = 0; from < fragments.length; from += this.#batchMaximum) this.#takeBatch(fragments, from, Math.min(from + this.#batchMaximum, fragments.length), verdicts);
  }

  #takeBatch(fragments: readonly IncomingFragment[], from: number, end: number, verdicts: FragmentVerdict[]): void {
    this.#hashBatch(fragments, from, end);
    let hashed = 0;
    for (let position = from; position < end; position += 1) {
      const fragment = fragments[position];
      if (fragment === undefined) continue;
      const { index, payload, source } = fragment;
      if (this.#positions[hashed] === position) {
        verdicts.push(this.#takeHashed(index, payload, source, hashed * hashBytes));
        hashed += 1;
      } else {
        verdicts.push(this.#takeAlone(index, payload, source, this.#batchMaximum * hashBytes));
      }
    }
  }

  #takeAlone(index: number, payload: Uint8Array, source: number, valueOffset: number): FragmentVerdict {
    const early = this.#judgeByNumber(index, payload);
    if (early !== undefined) return early;
    this.#hashLeaf(index, payload, valueOffset);
    return this.#takeHashed(index, payload, source, valueOffset);
  }

  #begin(verified: readonly LeafRange[]): void {
    if (verified[0]?.start !== 0) this.#strands.push({ start: 0, next: 0, frontier: undefined, path: undefined });
    for (const { start, end } of verified) this.#strands.push({ start, next: end, frontier: undefined, path: undefined });
    if (this.#strands.length > rangesMaximum) throw new RangeError(`there are at most ${rangesMaximum} strands, and these ranges make ${this.#strands.length}`);
    const [first] = this.#strands;
    // The trusted root is the value of a lone leaf.
    if (this.#geometry.leafCount === 1 && first?.next === 0) first.frontier = Frontier.of(this.#tree, 0, [this.#root]);
  }

  /** What can be said without hashing. */
  #judgeByNumber(index: number, payload: Uint8Array): FragmentVerdict | undefined {
    if (!isLeaf(this.#geometry, index)) return 'no-such-leaf';
    if (payload.length !== fragmentPayloadBytes(this.#geometry, index)) return 'wrong-length';
    const strand = this.#strandBefore(index);
    if (strand === undefined || index < strand.next) return 'duplicate';
    if (index === strand.next) return undefined;
    if (this.#kept.has(index)) return 'duplicate';
    return index - strand.next > this.#windowLeaves ? 'beyond-window' : undefined;
  }

  #takeHashed(index: number, payload: Uint8Array, source: number, valueOffset: number): FragmentVerdict {
    const strand = this.#strandBefore(index);
    // Another one of the same batch may have been first.
    if (strand === undefined || index < strand.next) return 'duplicate';
    if (index !== strand.next || (strand.frontier === undefined && !isHeaded(this.#geometry, index))) {
      if (this.#kept.has(index)) return 'duplicate';
      return this.#kept.keep(index, source, payload, this.#values, valueOffset) ? 'kept' : 'no-room';
    }
    const refusal = this.#prove(strand, payload, this.#values, valueOffset);
    if (refusal !== undefined) return refusal;
    this.#drain(strand);
    return 'verified';
  }

  /** Checks the fragment of a strand's next leaf and goes on behind it. */
  #prove(strand: Strand, payload: Uint8Array, values: Uint8Array, valueOffset: number): 'wrong-leaf' | 'wrong-pair' | undefined {
    const index = strand.next;
    const hashesEnd = payload.length - leafLength(this.#geometry, index);
    let { frontier } = strand;
    if (isHeaded(this.#geometry, index)) {
      const path = new Uint8Array(hashBytes + hashesEnd);
      path.set(values.subarray(valueOffset, valueOffset + hashBytes));
      path.set(payload.subarray(0, hashesEnd), hashBytes);
      if (!pathLeadsTo(this.#tree, this.#geometry, index, path, this.#root)) return 'wrong-leaf';
      frontier = Frontier.from(this.#tree, this.#geometry, index, path, noHashes);
    }
    if (frontier === undefined || !frontier.isNext(values, valueOffset)) return 'wrong-leaf';
    const pair = index > 0 && hashesEnd > 0 ? payload : undefined;
    if (pair !== undefined && !frontier.isPair(index, pair)) return 'wrong-pair';
    frontier.advance(index, pair);
    strand.frontier = frontier;
    strand.path = undefined;
    strand.next = index + 1;
    this.#sink.verified(index, hashesEnd === 0 ? payload : payload.subarray(hashesEnd));
    return undefined;
  }

  /** Takes what was kept for the leaves that follow, joins strands that meet. */
  #drain(strand: Strand): void {
    while (this.#join(strand) || this.#proveKept(strand));
  }

  #proveKept(strand: Strand): boolean {
    if (this.#kept.count === 0 || (strand.frontier === undefined && !isHeaded(this.#geometry, strand.next))) return false;
    const kept = this.#kept.take(strand.next);
    if (kept === undefined) return false;
    const refusal = this.#prove(strand, kept.payload.subarray(0, kept.payloadBytes), kept.value, 0);
    if (refusal !== undefined) this.#sink.refused(kept.index, kept.source, refusal);
    this.#kept.release(kept);
    return refusal === undefined;
  }

  #join(strand: Strand): boolean {
    const following = this.#strands[this.#strands.indexOf(strand) + 1];
    if (following?.start !== strand.next) return false;
    // What is known behind the joined strand is the same, whichever way it was learned.
    strand.next = following.next;
    strand.frontier = following.frontier;
    strand.path = following.path;
    this.#strands.splice(this.#strands.indexOf(following), 1);
    return true;
  }

  #goOn(strand: Strand, path: Uint8Array, ahead: Uint8Array): ProofVerdict {
    const frontier = Frontier.from(this.#tree, this.#geometry, strand.next, path, ahead);
    if (frontier === undefined) return 'wrong-ahead';
    this.#setFrontier(strand, frontier);
    return 'taken';
  }

  #setFrontier(strand: Strand, frontier: Frontier): void {
    strand.frontier = frontier;
    strand.path = undefined;
    this.#drain(strand);
  }

  #insert(first: number): Strand {
    const strand: Strand = { start: first, next: first, frontier: undefined, path: undefined };
    const position = this.#strands.findIndex(({ start }) => start > first);
    this.#strands.splice(position < 0 ? this.#strands.length : position, 0, strand);
    return strand;
  }

  /** The last strand that starts at the leaf or before it. */
  #strandBefore(index: number): Strand | undefined {
    for (let position = this.#strands.length - 1; position >= 0; position -= 1) {
      const strand = this.#strands[position];
      if (strand !== undefined && strand.start <= index) return strand;
    }
    return undefined;
  }

  #hashLeaf(index: number, payload: Uint8Array, valueOffset: number): void {
    const start = payload.length - leafLength(this.#geometry, index);
    const leaf = start === 0 ? payload : payload.subarray(start);
    const role = this.#geometry.leafCount === 1 ? 'root' : 'inner';
    if (this.#geometry.groupShift === 0) this.#tree.chunk(leaf, index, role, this.#values, valueOffset);
    else this.#tree.group(leaf, index * 2 ** this.#geometry.groupShift, role, this.#values, valueOffset);
  }

  /**
   * Full single chunks only: groups fill the lanes by themselves. What can be judged without a hash, and whatever is left over, is taken alone.
   */
  #hashBatch(fragments: readonly IncomingFragment[], from: number, end: number): void {
    const { window } = this.#tree;
    this.#indexes.length = 0;
    this.#positions.length = 0;
    if (this.#geometry.groupShift > 0 || this.#geometry.leafCount === 1) return;
    for (let position = from; position < end; position += 1) {
      const fragment = fragments[position];
      if (fragment === undefined || this.#judgeByNumber(fragment.index, fragment.payload) !== undefined || leafLength(this.#geometry, fragment.index) < chunkBytes) continue;
      const { index, payload } = fragment;
      window.set(payload.length === chunkBytes ? payload : payload.subarray(payload.length - chunkBytes), this.#indexes.length * chunkBytes);
      this.#indexes.push(index);
      this.#positions.push(position);
    }
    if (this.#indexes.length > 0) this.#tree.chunksAt(window.subarray(0, this.#indexes.length * chunkBytes), this.#indexes, this.#values);
  }
}
