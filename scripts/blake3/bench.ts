/**
 * `node scripts/blake3/bench.ts [--json]`: BLAKE3 in MB/s (10^6 bytes) on one core, the module beside @noble/hashes. Every case is measured five times, all
 * cases taking turns, so that a disturbance of the machine falls on all of them; the median counts. Copies into and out of the module's
 * memory are part of every number but "in place".
 */
import { cpus } from 'node:os';
import { blake3 } from '@noble/hashes/blake3.js';
import { blake3Module } from '../../src/main/engine/blake3/blake3-module.ts';
import { chunkBytes, hashBytes } from '../../src/main/engine/blake3/blake3-layout.ts';
import { createWasmBlake3 } from '../../src/main/engine/blake3/blake3-wasm.ts';

const rounds = 5;
/** Long enough for the timer and the optimizing compiler, short enough for all cases within half a minute. */
const measuredMs = 250;
/** Leaves come from here in turn: more than a core's first cache, as packets would. */
const sourceBytes = 1024 * 1024;
const wholeBytes = 64 * 1024 * 1024;

interface Case {
  readonly name: string;
  readonly bytes: number;
  readonly run: () => void;
}

const startedAt = performance.now();
const tree = createWasmBlake3(blake3Module());
const compileMs = performance.now() - startedAt;

const source = Uint8Array.from({ length: sourceBytes }, (_, index) => (index * 2654435761) >>> 13);
const whole = new Uint8Array(wholeBytes);
for (let offset = 0; offset < wholeBytes; offset += sourceBytes) whole.set(source, offset);
const output = new Uint8Array(sourceBytes / chunkBytes * hashBytes);
const left = source.slice(0, hashBytes);
const right = source.slice(hashBytes, 2 * hashBytes);
const indexes = [0, 0, 0, 0];
const inPlace = tree.window.subarray(0, chunkBytes);

/** Runs over the source in pieces, one piece a call. */
function eachPiece(pieceBytes: number, work: (piece: Uint8Array, firstIndex: number) => void): Pick<Case, 'bytes' | 'run'> {
  const pieces = Array.from({ length: sourceBytes / pieceBytes }, (_, index) => source.subarray(index * pieceBytes, (index + 1) * pieceBytes));
  return { bytes: sourceBytes, run: () => pieces.forEach((piece, index) => work(piece, index * pieceBytes / chunkBytes)) };
}

const group = (kib: number): Case => ({ name: `group of ${kib} KiB`, ...eachPiece(kib * 1024, (piece, index) => tree.group(piece, index, 'inner', output)) });

const cases: readonly Case[] = [
  { name: 'noble, one leaf at a time', ...eachPiece(chunkBytes, (piece) => blake3(piece)) },
  { name: 'noble, 1 MiB', bytes: sourceBytes, run: () => blake3(source) },
  { name: 'one leaf at a time', ...eachPiece(chunkBytes, (piece, index) => tree.chunk(piece, index, 'inner', output)) },
  { name: 'one leaf at a time, in place', bytes: sourceBytes, run: () => { for (let i = 0; i < sourceBytes / chunkBytes; i += 1) tree.chunk(inPlace, i, 'inner', output); } },
  { name: 'one leaf and one parent', ...eachPiece(chunkBytes, (piece, index) => { tree.chunk(piece, index, 'inner', output); tree.parent(left, right, 'inner', output); }) },
  { name: 'batch of four leaves', ...eachPiece(4 * chunkBytes, (piece, index) => tree.chunks(piece, index, output)) },
  { name: 'four leaves with scattered indexes', ...eachPiece(4 * chunkBytes, (piece, index) => { for (let i = 0; i < 4; i += 1) indexes[i] = index + 3 * i; tree.chunksAt(piece, indexes, output); }) },
  { name: 'batch of two leaves', ...eachPiece(2 * chunkBytes, (piece, index) => tree.chunks(piece, index, output)) },
  group(4),
  group(16),
  group(64),
  { name: 'all leaves and parents (64 KiB)', ...eachPiece(64 * chunkBytes, (piece, index) => buildLevels(piece, index)) },
  { name: 'whole, 64 MiB', bytes: wholeBytes, run: () => tree.hash(whole) },
];

const levels = Array.from({ length: 8 }, (_, height) => output.subarray(0, (64 >> height) * hashBytes));

/** What a builder of proofs does: every value of the tree, level by level. */
function buildLevels(piece: Uint8Array, firstIndex: number): void {
  let count = tree.chunks(piece, firstIndex, output);
  for (let height = 0; count > 1; height += 1) count = tree.parents(levels[height] ?? output, output);
}

function megabytesPerSecond({ bytes, run }: Case): number {
  const start = performance.now();
  let times = 0;
  let elapsedMs: number;
  do {
    run();
    times += 1;
    elapsedMs = performance.now() - start;
  } while (elapsedMs < measuredMs);
  return (bytes * times) / elapsedMs / 1000;
}

for (const each of cases) megabytesPerSecond(each);
const measured = cases.map((each) => ({ each, speeds: [] as number[] }));
for (let round = 0; round < rounds; round += 1) for (const { each, speeds } of measured) speeds.push(megabytesPerSecond(each));

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
const results = measured.map(({ each, speeds }) => ({ name: each.name, MBps: median(speeds), lowest: Math.min(...speeds), highest: Math.max(...speeds) }));
const nobleLeaf = results[0]?.MBps ?? 1;

if (process.argv.includes('--json')) {
  for (const { name, MBps } of results) console.log(JSON.stringify({ name, MBps: Math.round(MBps), timesNobleLeaf: Number((MBps / nobleLeaf).toFixed(1)) }));
} else {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, V8 ${process.versions.v8}; compiled in ${compileMs.toFixed(1)} ms; MB/s, median (lowest..highest) of ${rounds}`);
  for (const { name, MBps, lowest, highest } of results) {
    console.log(`${name.padEnd(34)}${MBps.toFixed(0).padStart(6)}  (${lowest.toFixed(0)}..${highest.toFixed(0)})`.padEnd(58) + `${(MBps / nobleLeaf).toFixed(1).padStart(6)} x noble`);
  }
}
