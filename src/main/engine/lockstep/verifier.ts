/**
 * The requester's side: takes proofs and fragments as they come, and hands on leaves that are proved, in order within each strand (strands.ts).
 *
 * Nothing that is refused changes any state. See lockstep.ts for the whole.
 */
import { hashBytes } from '../blake3/blake3-layout.ts';
import { decodeProof, fragmentPayloadBytes, partHashes } from './codec.ts';
import { Frontier, pathLeadsTo } from './frontier.ts';
import { isHeaded, isLeaf, leafLength, pairBytes } from './geometry.ts';
import { KeptFragments } from './kept.ts';
import { LeafValues } from './leaf-values.ts';
import { rangesMaximum } from './snapshot.ts';
import { Strands } from './strands.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Geometry } from './geometry.ts';
import type { LeafRange, Snapshot } from './snapshot.ts';
import type { Strand } from './strands.ts';
import type { FragmentVerdict, IncomingFragment, LeafSink, ProofVerdict } from './verdicts.ts';

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

const noHashes = new Uint8Array(0);

export class LockstepVerifier {
  readonly #tree: Blake3Tree;
  readonly #geometry: Geometry;
  readonly #root: Uint8Array;
  readonly #sink: LeafSink;
  readonly #kept: KeptFragments;
  readonly #windowLeaves: number;
  readonly #strandsMaximum: number;
  readonly #strands: Strands;
  readonly #leafValues: LeafValues;

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
    this.#leafValues = new LeafValues(tree, geometry);
    this.#strands = new Strands(geometry, options.verified ?? []);
    const { first } = this.#strands;
    // The trusted root is the value of a lone leaf.
    if (geometry.leafCount === 1 && first?.next === 0) first.frontier = Frontier.of(tree, 0, [this.#root]);
  }

  get isComplete(): boolean { return this.#strands.first?.next === this.#geometry.leafCount; }

  get keptCount(): number { return this.#kept.count; }

  /** Values held for what is to come, over all strands. */
  get valueCount(): number { return this.#strands.valueCount; }

  get verifiedBytes(): number {
    return this.verifiedRanges.reduce((sum, { start, end }) => sum + Math.min(end * this.#geometry.leafBytes, this.#geometry.lengthBytes) - start * this.#geometry.leafBytes, 0);
  }

  get verifiedRanges(): readonly LeafRange[] { return this.#strands.verifiedRanges; }

  /** To be stored once the verified leaves are. */
  get snapshot(): Snapshot { return { root: this.#root, geometry: this.#geometry, verified: this.verifiedRanges }; }

  /** Nothing more has to be asked for about this leaf, unless it is refused later. */
  has(index: number): boolean {
    const strand = this.#strands.before(index);
    return strand !== undefined && index < strand.next || this.#kept.has(index);
  }

  /** Whether a fragment of this leaf would be taken or kept now, and not be too early. */
  reaches(index: number): boolean {
    const strand = this.#strands.before(index);
    return strand !== undefined && index - strand.next <= this.#windowLeaves;
  }

  /** Up to so many leaves that are missing, from the first gap on and in reach. */
  missing(countMaximum: number): readonly number[] {
    const leaves: number[] = [];
    const strands = this.#strands.all;
    for (const [position, { next }] of strands.entries()) {
      const end = Math.min(strands[position + 1]?.start ?? this.#geometry.leafCount, next + this.#windowLeaves + 1);
      for (let leaf = next; leaf < end; leaf += 1) {
        if (leaves.length === countMaximum) return leaves;
        if (!this.#kept.has(leaf)) leaves.push(leaf);
      }
    }
    return leaves;
  }

  /** Forgets what a source brought early, since nothing of it is believed any more; the leaves are missing again, and returned. */
  distrust(source: number): readonly number[] { return this.#kept.drop(source); }

  /** Leaves whose proofs let a strand go on. Empty for single packets, and for up to four leaves at the start: those bring theirs along. */
  get proofsWanted(): readonly number[] { return this.#strands.proofsWanted; }

  /** A proof, or a part of one, for the leaf `first`: a strand goes on there or a new one begins. */
  takeProof(first: number, payload: Uint8Array): ProofVerdict {
    const decoded = decodeProof(this.#geometry, first, payload);
    if (decoded.kind === 'refused') return decoded.reason;
    const { part, hashes } = decoded.value;
    const before = this.#strands.before(first);
    if (before === undefined || first < before.next) return 'duplicate';
    const strand = before.next === first ? before : undefined;
    if (strand?.frontier !== undefined) return 'duplicate';
    if (part === 'ahead') {
      if (strand?.path === undefined) return 'path-first';
      return this.#goOn(strand, strand.path, hashes);
    }
    if (strand === undefined && this.#strands.all.length >= this.#strandsMaximum) return 'too-many-strands';
    const pathEnd = partHashes(this.#geometry, first, 'path') * hashBytes;
    const path = hashes.subarray(0, pathEnd);
    if (!pathLeadsTo(this.#tree, this.#geometry, first, path, this.#root)) return 'wrong-path';
    if (part === 'whole') {
      const frontier = Frontier.from(this.#tree, this.#geometry, first, path, hashes.subarray(pathEnd));
      if (frontier === undefined) return 'wrong-ahead';
      this.#setFrontier(strand ?? this.#strands.insert(first), frontier);
      return 'taken';
    }
    (strand ?? this.#strands.insert(first)).path = path.slice();
    return 'half-taken';
  }

  takeFragment(index: number, payload: Uint8Array, source: number): FragmentVerdict {
    return this.#takeAlone(index, payload, source, 0);
  }

  /** What came in one turn, in any order: leaves of 1 KiB are hashed four at a time. `verdicts` gets one for each, from its start. */
  takeFragments(fragments: readonly IncomingFragment[], verdicts: FragmentVerdict[]): void {
    verdicts.length = 0;
    for (let from = 0; from < fragments.length; from += this.#leafValues.batchMaximum) this.#takeBatch(fragments, from, Math.min(from + this.#leafValues.batchMaximum, fragments.length), verdicts);
  }

  #takeBatch(fragments: readonly IncomingFragment[], from: number, end: number, verdicts: FragmentVerdict[]): void {
    this.#hashBatch(fragments, from, end);
    let hashed = 0;
    for (let position = from; position < end; position += 1) {
      const fragment = fragments[position];
      if (fragment === undefined) continue;
      const { index, payload, source } = fragment;
      if (this.#leafValues.positionOf(hashed) === position) {
        verdicts.push(this.#takeHashed(index, payload, source, hashed * hashBytes));
        hashed += 1;
      } else {
        verdicts.push(this.#takeAlone(index, payload, source, this.#leafValues.aloneOffset));
      }
    }
  }

  /** What can be judged without a hash, and whatever is left over, is taken alone. */
  #hashBatch(fragments: readonly IncomingFragment[], from: number, end: number): void {
    if (!this.#leafValues.startBatch()) return;
    for (let position = from; position < end; position += 1) {
      const fragment = fragments[position];
      if (fragment !== undefined && this.#judgeByNumber(fragment.index, fragment.payload) === undefined) this.#leafValues.add(position, fragment.index, fragment.payload);
    }
    this.#leafValues.hashBatch();
  }

  #takeAlone(index: number, payload: Uint8Array, source: number, valueOffset: number): FragmentVerdict {
    const early = this.#judgeByNumber(index, payload);
    if (early !== undefined) return early;
    this.#leafValues.hash(index, payload, valueOffset);
    return this.#takeHashed(index, payload, source, valueOffset);
  }

  /** What can be said without hashing. */
  #judgeByNumber(index: number, payload: Uint8Array): FragmentVerdict | undefined {
    if (!isLeaf(this.#geometry, index)) return 'no-such-leaf';
    if (payload.length !== fragmentPayloadBytes(this.#geometry, index)) return 'wrong-length';
    const strand = this.#strands.before(index);
    if (strand === undefined || index < strand.next) return 'duplicate';
    if (index === strand.next) return undefined;
    if (this.#kept.has(index)) return 'duplicate';
    return index - strand.next > this.#windowLeaves ? 'beyond-window' : undefined;
  }

  #takeHashed(index: number, payload: Uint8Array, source: number, valueOffset: number): FragmentVerdict {
    const strand = this.#strands.before(index);
    // Another one of the same batch may have been first.
    if (strand === undefined || index < strand.next) return 'duplicate';
    if (index !== strand.next || (strand.frontier === undefined && !isHeaded(this.#geometry, index))) {
      if (this.#kept.has(index)) return 'duplicate';
      return this.#kept.keep(index, source, payload, this.#leafValues.values, valueOffset) ? 'kept' : 'no-room';
    }
    const refusal = this.#prove(strand, payload, this.#leafValues.values, valueOffset);
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
    while (this.#strands.join(strand) || this.#proveKept(strand));
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
}
