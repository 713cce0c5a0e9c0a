/**
 * One content being fetched, from one holder or several: what has been proved, what is still to be asked for, and what each holder was asked. It
 * sends nothing itself; `puller.ts` says when a source may ask and hands in what comes.
 *
 * Sources take runs from one plan, each as fast as its own path allows. One that has nothing left to ask for asks again for what the others
 * have not brought, so that a slow or silent one delays nobody. A fragment that does not prove is dropped and asked for again; a source that brings several
 * of them, and none that proves in between, is ended.
 */
import { createVerifier, encodeSnapshot, resumeVerifier } from '../lockstep/lockstep.ts';
import { fragmentPayloadBytes, partHashes, partsOf } from '../lockstep/codec.ts';
import { geometryOf, isHeaded, pairBytes } from '../lockstep/geometry.ts';
import { pullRequestId, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import { regrouped } from './regroup.ts';
import { LeafPlan } from './leaf-plan.ts';
import { leafOfProofTag } from './source.ts';
import type { Crypto } from '../crypto.ts';
import type { ProofPart } from '../lockstep/codec.ts';
import type { Geometry } from '../lockstep/geometry.ts';
import type { FragmentVerdict, LockstepVerifier, Refusal } from '../lockstep/lockstep.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { GatheredLeaf } from './gathered-leaves.ts';
import type { PlannedRun, Reach } from './leaf-plan.ts';
import type { Source } from './source.ts';
import type { DownloadOptions } from './types.ts';

/** Fragments of a source that did not prove, with none in between that did, before it is ended: a fault may be the path's, or an old holder's. */
const badInARowMaximum = 8;
/** Leaves that an idle source asks for although another one was asked before. */
const rescuedAtOnce = 16;
const hashBytes = 32;

/** `progress`: something was proved or kept. `nothing`: known already, or too early. `bad`: the source is at fault. */
export type Taken = 'progress' | 'nothing' | 'bad';

export class Download {
  readonly name: ContentName;
  readonly options: DownloadOptions;
  readonly sources = new Set<Source>();
  readonly startedMs: number;
  held = false;
  /** Cancelled or complete: its owner is told nothing any more. */
  over = false;
  verifiedBytes = 0;
  #geometry: Geometry;
  #verifier: LockstepVerifier;
  #plan: LeafPlan;
  #requestId: Uint8Array;
  readonly #crypto: Crypto;
  readonly #reach: Reach = (leaf) => this.#verifier.reaches(leaf);
  #now: Instant;
  /** The verifier is at work, and what it calls may call us. */
  #taking = false;
  readonly #verdicts: FragmentVerdict[] = [];

  private constructor(crypto: Crypto, name: ContentName, options: DownloadOptions, geometry: Geometry, now: Instant) {
    this.#crypto = crypto;
    this.name = name;
    this.options = options;
    this.#geometry = geometry;
    this.#now = now;
    this.startedMs = now.monotonicMs;
    const resumed = options.snapshot === undefined ? undefined : resumeVerifier(crypto.tree, name, options.snapshot, this.#settings());
    this.#verifier = resumed ?? this.#fresh(geometry);
    this.#geometry = this.#verifier.snapshot.geometry;
    this.#plan = this.#newPlan();
    this.#requestId = pullRequestId(crypto, name, this.#geometry.groupShift);
    this.verifiedBytes = this.#verifier.verifiedBytes;
  }

  /** Undefined for a length that no content can have. */
  static start(crypto: Crypto, name: ContentName, options: DownloadOptions, now: Instant): Download | undefined {
    const geometry = geometryOf(name.length, 0);
    return geometry === undefined || geometry.leafCount > 0xffff_ffff ? undefined : new Download(crypto, name, options, geometry, now);
  }

  get isComplete(): boolean { return this.#verifier.isComplete; }
  get isTaking(): boolean { return this.#taking; }
  get groupShift(): number { return this.#geometry.groupShift; }
  get requestId(): Uint8Array { return this.#requestId; }
  get leafCount(): number { return this.#geometry.leafCount; }
  get snapshot(): Uint8Array { return encodeSnapshot(this.#verifier.snapshot); }

  /** Size of the datagram that answers for a leaf. */
  fragmentDatagramBytes(leaf: number): number { return transportOverheadBytes + responseHeaderBytes + fragmentPayloadBytes(this.#geometry, leaf); }

  get largestDatagramBytes(): number { return transportOverheadBytes + responseHeaderBytes + Math.min(this.#geometry.leafBytes, this.name.length) + pairBytes; }

  /** The datagrams that prove a leaf, and their sizes. */
  proofDatagrams(first: number): readonly { readonly part: ProofPart; readonly sizeBytes: number }[] {
    return partsOf(this.#geometry, first).map((part) => ({ part, sizeBytes: transportOverheadBytes + responseHeaderBytes + 1 + partHashes(this.#geometry, first, part) * hashBytes }));
  }

  hasWork(source: Source): boolean {
    if (this.held || this.over || this.isComplete) return false;
    return this.#plan.hasWork(this.#reach) || (source.transfer.inFlight === 0 && this.#rescue(1) !== undefined);
  }

  /** What this source asks for next, for at most so many leaves. */
  takeRun(source: Source, leafMaximum: number): PlannedRun | undefined {
    if (this.held || this.over || this.isComplete) return undefined;
    return this.#plan.take(leafMaximum, this.#reach) ?? (source.transfer.inFlight === 0 ? this.#rescue(Math.min(leafMaximum, rescuedAtOnce)) : undefined);
  }

  has(leaf: number): boolean { return this.#verifier.has(leaf); }

  /** What was asked for under a tag (source.ts) is to be asked for again. */
  neededAgain(tag: number): void {
    if (tag < 0) this.#proofAgain(leafOfProofTag(tag));
    else this.#again(tag);
  }

  #again(leaf: number): void { if (!this.#verifier.has(leaf)) this.#plan.again(leaf); }
  #proofAgain(first: number): void { this.#plan.proofAgain(first); }

  /** Leaves that came in one turn, by anybody; `told` gets what became of each, from its start. */
  takeFragments(leaves: readonly GatheredLeaf[], told: Taken[], now: Instant): void {
    this.#now = now;
    this.#taking = true;
    const [only] = leaves;
    // A lone one is hashed where it lies.
    if (leaves.length === 1 && only !== undefined) this.#verdicts[0] = this.#verifier.takeFragment(only.index, only.payload, only.source);
    else this.#verifier.takeFragments(leaves, this.#verdicts);
    this.#taking = false;
    told.length = 0;
    for (let position = 0; position < leaves.length; position += 1) {
      const leaf = leaves[position];
      if (leaf !== undefined) told.push(this.#taken(leaf.from, leaf.index, this.#verdicts[position]));
    }
  }

  #taken(source: Source, leaf: number, verdict: FragmentVerdict | undefined): Taken {
    switch (verdict) {
      case undefined: return 'nothing';
      case 'verified':
        // One good leaf does not undo what others of the same turn have shown.
        if (!this.isLying(source)) source.badInARow = 0;
        this.#plan.settled(leaf);
        return 'progress';
      case 'kept':
        // Its turn may have come within this one, and shown that it is bad.
        if (this.#verifier.has(leaf)) this.#plan.settled(leaf);
        return 'progress';
      case 'duplicate': return 'nothing';
      case 'beyond-window':
      case 'no-room':
        this.#again(leaf);
        return 'nothing';
      default:
        this.#blame(source, verdict);
        if (leaf < this.#geometry.leafCount) this.#again(leaf);
        return 'bad';
    }
  }

  takeProof(source: Source, first: number, payload: Uint8Array, now: Instant): Taken {
    this.#now = now;
    this.#taking = true;
    const verdict = this.#verifier.takeProof(first, payload);
    this.#taking = false;
    switch (verdict) {
      case 'taken':
      case 'half-taken': return 'progress';
      case 'duplicate': return 'nothing';
      case 'too-many-strands':
      case 'path-first':
        this.#proofAgain(first);
        return 'nothing';
      default:
        this.#blame(source, verdict);
        this.#proofAgain(first);
        return 'bad';
    }
  }

  /** Whether the source has brought too many that do not prove. */
  isLying(source: Source): boolean { return source.badInARow >= badInARowMaximum; }

  /** What it brought before its turn is asked for again, all at once: each would cost a round trip when its turn comes. */
  distrust(source: Source): void { for (const leaf of this.#verifier.distrust(source.ordinal)) this.#plan.again(leaf); }

  /**
   * Goes on in leaves of another size. What was verified stays, but for the ends of stretches that are no whole leaves of the new size; what is kept or under
   * way is given up. False when the content cannot be cut so, and while the verifier is at work.
   */
  regroup(groupShift: number): boolean {
    const geometry = geometryOf(this.name.length, groupShift);
    if (geometry === undefined || this.#taking) return false;
    const verified = regrouped(this.#verifier.verifiedRanges, this.#geometry, geometry);
    this.#geometry = geometry;
    this.#verifier = this.#fresh(geometry, verified);
    this.#plan = this.#newPlan();
    this.#requestId = pullRequestId(this.#crypto, this.name, groupShift);
    this.verifiedBytes = this.#verifier.verifiedBytes;
    return true;
  }

  #rescue(countMaximum: number): PlannedRun | undefined {
    const missing = this.#verifier.missing(countMaximum);
    const [proofOf] = this.#verifier.proofsWanted;
    const [leaf] = missing;
    // The other one may have been asked for the proof too, and all the leaves behind it may be here already.
    const proof = proofOf !== undefined && (leaf === undefined || proofOf <= leaf);
    const first = proof ? proofOf : leaf;
    return first === undefined ? undefined : { first, proof, leaves: missing.filter((each) => each < first + countMaximum) };
  }

  #fresh(geometry: Geometry, verified: readonly { readonly start: number; readonly end: number }[] = []): LockstepVerifier {
    const made = createVerifier(this.#crypto.tree, this.name, geometry.groupShift, this.#settings());
    if (made === undefined) throw new RangeError('a geometry that was accepted before');
    return verified.length === 0 ? made : resumeVerifier(this.#crypto.tree, this.name, encodeSnapshot({ root: this.name.root, geometry, verified }), this.#settings()) ?? made;
  }

  #newPlan(): LeafPlan {
    const geometry = this.#geometry;
    const needsProof = (first: number): boolean => geometry.leafCount > 1 && !isHeaded(geometry, first);
    return new LeafPlan(geometry.leafCount, this.#verifier.verifiedRanges, needsProof);
  }

  #settings(): { readonly sink: { verified(index: number, leaf: Uint8Array): void; refused(index: number, source: number, reason: Refusal): void }; readonly keptMaximumBytes: number } {
    return {
      keptMaximumBytes: this.options.keptMaximumBytes,
      sink: {
        verified: (index, leaf) => {
          this.verifiedBytes += leaf.length;
          if (!this.over) this.options.verified(index * this.#geometry.leafBytes, leaf, this.#now);
        },
        refused: (index, ordinal, reason) => {
          for (const source of this.sources) if (source.ordinal === ordinal) this.#blame(source, reason);
          this.#plan.again(index);
        },
      },
    };
  }

  #blame(source: Source, reason: string): void {
    source.badInARow += 1;
    source.badFragments += 1;
    if (!this.over) this.options.refused?.(source.sessionId, reason);
  }
}
