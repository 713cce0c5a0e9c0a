/** A publisher and a receiver in memory, for the tests of this folder and of what stands on it. */
import { blake3Module } from '../blake3/blake3-module.ts';
import { createWasmBlake3 } from '../blake3/blake3-wasm.ts';
import { recordOf } from './builder.ts';
import { encodeFragment, fragmentPayloadBytes } from './codec.ts';
import { leafLength } from './geometry.ts';
import { LockstepVerifier } from './verifier.ts';
import type { LockstepRecord, ReadBlock } from './record.ts';
import type { LeafSink, Refusal } from './verdicts.ts';
import type { VerifierOptions } from './verifier.ts';

export const tree = createWasmBlake3(blake3Module());

/** Bytes without a period (xorshift32). */
export function noise(sizeBytes: number, seed = 0x9e3779b9): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: sizeBytes }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

export class TestPublisher {
  readonly content: Uint8Array;
  readonly record: LockstepRecord;
  readonly read: ReadBlock;

  constructor(content: Uint8Array, groupShift: number, recordMaximumBytes?: number) {
    const record = recordOf(tree, content, groupShift, recordMaximumBytes);
    if ('kind' in record) throw new Error(`no record: ${record.reason}`);
    this.content = content;
    this.record = record;
    this.read = (block) => content.subarray(block * record.blockBytes, (block + 1) * record.blockBytes);
  }

  get leafCount(): number { return this.record.geometry.leafCount; }

  fragment(index: number): Uint8Array {
    const { geometry } = this.record;
    const start = index * geometry.leafBytes;
    const payload = new Uint8Array(fragmentPayloadBytes(geometry, index));
    encodeFragment(geometry, index, { hashes: this.record.hashesFor(index, this.read), leaf: this.content.subarray(start, start + leafLength(geometry, index)) }, payload);
    return payload;
  }

  proof(first: number): readonly Uint8Array[] { return this.record.proofFor(first, this.read); }

  receiver(options: Partial<VerifierOptions> = {}): TestReceiver { return new TestReceiver(this, options); }
}

export class TestReceiver implements LeafSink {
  readonly verifier: LockstepVerifier;
  readonly received: Uint8Array;
  readonly leaves: number[] = [];
  readonly refusals: { readonly index: number; readonly source: number; readonly reason: Refusal }[] = [];
  readonly #leafBytes: number;

  constructor({ record, content }: TestPublisher, options: Partial<VerifierOptions>) {
    this.#leafBytes = record.geometry.leafBytes;
    this.received = new Uint8Array(content.length);
    this.verifier = new LockstepVerifier(tree, { root: record.root, geometry: record.geometry, sink: this, ...options });
  }

  verified(index: number, leaf: Uint8Array): void {
    this.leaves.push(index);
    this.received.set(leaf, index * this.#leafBytes);
  }

  refused(index: number, source: number, reason: Refusal): void { this.refusals.push({ index, source, reason }); }

  /** Takes all proofs that are wanted now. */
  takeProofs(publisher: TestPublisher): this {
    for (const first of this.verifier.proofsWanted) for (const payload of publisher.proof(first)) this.verifier.takeProof(first, payload);
    return this;
  }
}
