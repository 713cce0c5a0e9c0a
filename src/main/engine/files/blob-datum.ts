/** A complete blob as something that can be pulled: its tree in memory, its bytes read in pieces when they are asked for, the next piece along with each. */
import { decodeRecord } from '../lockstep/lockstep.ts';
import { geometryOf } from '../lockstep/geometry.ts';
import { equalBytes } from '../wire/bytes.ts';
import { nameKey } from '../directed/datum.ts';
import { pieceBytes } from './piece-cache.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { Datum, DatumLoaded } from '../directed/datum.ts';
import type { Geometry } from '../lockstep/geometry.ts';
import type { LockstepRecord } from '../lockstep/lockstep.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobPort } from './blob-port.ts';
import type { BlobFailure } from './blob-store.ts';
import type { PieceCache } from './piece-cache.ts';

/** Reads the tree. `opened` gets the reason when that cannot be: there is no such complete blob, what lies there is damaged, or the disk failed. */
export function openBlobDatum(blobs: BlobPort, tree: Blake3Tree, pieces: PieceCache, name: ContentName, opened: (datum: BlobDatum | BlobFailure, now: Instant) => void): void {
  blobs<'read-record'>({ op: 'read-record', name }, (result, now) => {
    if (!result.ok) { opened(result.failure, now); return; }
    const record = decodeRecord(tree, result.value);
    if (record?.geometry.lengthBytes !== name.length || !equalBytes(record.root, name.root)) { opened('damaged', now); return; }
    opened(new BlobDatum(blobs, pieces, name, record), now);
  });
}

export class BlobDatum implements Datum {
  readonly #blobs: BlobPort;
  readonly #pieces: PieceCache;
  readonly #name: ContentName;
  readonly #key: string;
  readonly #record: LockstepRecord;
  readonly #records = new Map<number, LockstepRecord>();
  readonly #loading = new Map<number, DatumLoaded[]>();
  #servedAtMs = 0;

  constructor(blobs: BlobPort, pieces: PieceCache, name: ContentName, record: LockstepRecord) {
    this.#blobs = blobs;
    this.#pieces = pieces;
    this.#name = name;
    this.#key = nameKey(name);
    this.#record = record;
  }

  get lengthBytes(): number { return this.#name.length; }
  /** When somebody last asked for bytes of it that were not in memory; 0 when nobody has. */
  get servedAtMs(): number { return this.#servedAtMs; }
  get memoryBytes(): number { return this.#record.sizeBytes; }

  geometry(groupShift: number): Geometry | undefined { return geometryOf(this.#name.length, groupShift); }

  record(groupShift: number): LockstepRecord | undefined {
    const known = this.#records.get(groupShift);
    if (known !== undefined || (this.geometry(groupShift)?.leafCount ?? 1) === 1) return known;
    const record = this.#record.atGroupShift(groupShift);
    if (record !== undefined) this.#records.set(groupShift, record);
    return record;
  }

  peek(offset: number, sizeBytes: number): Uint8Array | undefined {
    const piece = Math.floor(offset / pieceBytes);
    const start = offset - piece * pieceBytes;
    return this.#pieces.get(this.#pieceKey(piece))?.subarray(start, start + sizeBytes);
  }

  load(offset: number, _sizeBytes: number, loaded: DatumLoaded, now: Instant): void {
    const piece = Math.floor(offset / pieceBytes);
    this.#servedAtMs = now.monotonicMs;
    if (this.#pieces.get(this.#pieceKey(piece)) !== undefined) { loaded('ready', now); return; }
    this.#loadPiece(piece, loaded);
    const next = piece + 1;
    if (next * pieceBytes < this.#name.length && this.#pieces.get(this.#pieceKey(next)) === undefined) this.#loadPiece(next, undefined);
  }

  #loadPiece(piece: number, loaded: DatumLoaded | undefined): void {
    const underWay = this.#loading.get(piece);
    if (underWay !== undefined) {
      if (loaded !== undefined) underWay.push(loaded);
      return;
    }
    const waiting = loaded === undefined ? [] : [loaded];
    this.#loading.set(piece, waiting);
    const offset = piece * pieceBytes;
    this.#blobs<'read'>({ op: 'read', name: this.#name, offset, sizeBytes: Math.min(pieceBytes, this.#name.length - offset) }, (result, at) => {
      this.#loading.delete(piece);
      if (result.ok) this.#pieces.put(this.#pieceKey(piece), result.value);
      for (const each of waiting) each(result.ok ? 'ready' : 'failed', at);
    });
  }

  #pieceKey(piece: number): string { return `${this.#key}/${String(piece)}`; }
}
