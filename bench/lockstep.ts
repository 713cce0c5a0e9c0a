/**
 * LockStep on one core, in memory: making a content's record, and verifying its fragments in order, one at a time and as they come in a turn.
 * What the publisher puts into packets is made beforehand and is not in the verifier's time.
 */
import { blake3Module } from '../src/main/engine/blake3/blake3-module.ts';
import { createWasmBlake3 } from '../src/main/engine/blake3/blake3-wasm.ts';
import { createVerifier, encodeFragment, recordOf } from '../src/main/engine/lockstep/lockstep.ts';
import { fragmentPayloadBytes } from '../src/main/engine/lockstep/codec.ts';
import type { FragmentVerdict, IncomingFragment, LockstepRecord } from '../src/main/engine/lockstep/lockstep.ts';
import type { Figure } from './run.ts';

const contentBytes = 32 * 1_048_576;
const recordBudgetBytes = 8 * 1_048_576;
/** A byte for each KiB: with blocks, as for a file of many GiB. */
const smallBudgetBytes = 32_768;
/** Datagrams that one turn of the event loop may find. */
const turnFragments = 32;
/** The first of them warm up; the median of all counts. */
const passes = 9;

const tree = createWasmBlake3(blake3Module());
const content = new Uint8Array(contentBytes);
new Uint32Array(content.buffer).forEach((_, index, words) => { words[index] = Math.imul(index, 2_654_435_761); });

function makeRecord(groupShift: number, maximumBytes: number): LockstepRecord {
  const record = recordOf(tree, content, groupShift, maximumBytes);
  if ('kind' in record) throw new Error(record.reason);
  return record;
}

function payloadsOf(record: LockstepRecord): readonly Uint8Array[] {
  const { geometry } = record;
  const read = (block: number): Uint8Array => content.subarray(block * record.blockBytes, (block + 1) * record.blockBytes);
  return Array.from({ length: geometry.leafCount }, (_, index) => {
    const payload = new Uint8Array(fragmentPayloadBytes(geometry, index));
    encodeFragment(geometry, index, { hashes: record.hashesFor(index, read), leaf: content.subarray(index * geometry.leafBytes, (index + 1) * geometry.leafBytes) }, payload);
    return payload;
  });
}

/** MB/s (10^6 bytes). */
function megabytesPerSecond(work: () => void): number {
  const spentMs = Array.from({ length: passes }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return contentBytes / (spentMs.toSorted((left, right) => left - right)[passes >> 1] ?? Number.NaN) / 1_000;
}

function verifying(record: LockstepRecord, payloads: readonly Uint8Array[], inTurns: boolean): number {
  const fragments: readonly IncomingFragment[] = payloads.map((payload, index) => ({ index, payload, source: 1 }));
  const turns = Array.from({ length: Math.ceil(fragments.length / turnFragments) }, (_, turn) => fragments.slice(turn * turnFragments, (turn + 1) * turnFragments));
  const verdicts: FragmentVerdict[] = [];
  return megabytesPerSecond(() => {
    let verified = 0;
    const sink = { verified: () => { verified += 1; }, refused: () => undefined };
    const verifier = createVerifier(tree, { root: record.root, length: contentBytes }, record.geometry.groupShift, { sink });
    if (verifier === undefined) throw new Error('the content has no tree');
    for (const payload of record.proofFor(0, () => content)) verifier.takeProof(0, payload);
    if (inTurns) for (const turn of turns) verifier.takeFragments(turn, verdicts);
    else for (const { index, payload, source } of fragments) verifier.takeFragment(index, payload, source);
    if (!verifier.isComplete || verified !== fragments.length) throw new Error('the content did not come whole');
  });
}

export function lockstepRates(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const figure = (name: string, value: number, aim: string): void => { figures.push({ name: `LockStep, ${name}`, value, unit: 'MB/s', aim }); };
  for (const groupShift of [0, 2]) {
    const size = `${1 << groupShift} KiB leaves`;
    const record = makeRecord(groupShift, recordBudgetBytes);
    const payloads = payloadsOf(record);
    const blocks = makeRecord(groupShift, smallBudgetBytes);
    figure(`${size}: making the record`, megabytesPerSecond(() => { makeRecord(groupShift, recordBudgetBytes); }), '1200 or more');
    figure(`${size}: publishing, everything kept`, megabytesPerSecond(() => { payloadsOf(record); }), '-');
    figure(`${size}: publishing from blocks`, megabytesPerSecond(() => { payloadsOf(blocks); }), '-');
    figure(`${size}: verifying one at a time`, verifying(record, payloads, false), groupShift === 0 ? '500 or more' : '1200 or more');
    figure(`${size}: verifying ${turnFragments} a turn`, verifying(record, payloads, true), '1200 or more');
  }
  return Promise.resolve(figures);
}
