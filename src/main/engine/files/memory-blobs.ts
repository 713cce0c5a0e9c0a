/**
 * The blob store contract over memory, for tests and the simulated world: what was checkpointed or completed outlives `crash`, the rest does not. Not
 * part of the product.
 */
import { nameKey } from '../directed/datum.ts';
import { encodeRecord, recordOf } from '../lockstep/lockstep.ts';
import { equalBytes } from '../wire/bytes.ts';
import { sealSegment, sealedBytes, segmentCount, segmentPlainBytes } from './file-sealing.ts';
import type { Crypto } from '../crypto.ts';
import type { ContentName } from '../wire/types.ts';
import type { BlobFailure, BlobInfo, BlobRequest, BlobResult } from './blob-store.ts';

interface Blob { readonly name: ContentName; readonly bytes: Uint8Array; durable: Uint8Array | undefined; snapshot: Uint8Array | undefined; complete: boolean }

const ok = { ok: true, value: undefined } as const;
const failed = (failure: BlobFailure): { readonly ok: false; readonly failure: BlobFailure } => ({ ok: false, failure });

export class MemoryBlobs {
  readonly #crypto: Crypto;
  #blobs = new Map<string, Blob>();
  /** Answers every request instead, when it gives a failure. */
  failing: (request: BlobRequest) => BlobFailure | undefined = () => undefined;

  constructor(crypto: Crypto) { this.#crypto = crypto; }

  get all(): readonly BlobInfo[] { return [...this.#blobs.values()].map(({ name, complete, snapshot }) => ({ name, complete, snapshot })); }

  apply(request: BlobRequest): BlobResult {
    if (request.op === 'load') return { ok: true, value: this.all };
    const failure = this.failing(request);
    if (failure !== undefined) return failed(failure);
    const key = nameKey(request.name);
    const blob = this.#blobs.get(key);
    switch (request.op) {
      case 'begin':
        if (blob === undefined) this.#blobs.set(key, { name: request.name, bytes: new Uint8Array(request.name.length), durable: undefined, snapshot: undefined, complete: false });
        return ok;
      case 'write':
        if (blob === undefined) return failed('gone');
        blob.bytes.set(request.bytes, request.offset);
        return ok;
      case 'checkpoint':
        if (blob === undefined) return failed('gone');
        blob.durable = blob.bytes.slice();
        blob.snapshot = request.snapshot.slice();
        return ok;
      case 'complete': {
        if (blob === undefined) return failed('gone');
        if (!equalBytes(this.#crypto.blake3(blob.bytes), request.name.root)) {
          this.#blobs.delete(key);
          return failed('damaged');
        }
        blob.durable = blob.bytes;
        blob.complete = true;
        blob.snapshot = undefined;
        return ok;
      }
      case 'read': return blob?.complete === true ? { ok: true, value: blob.bytes.slice(request.offset, request.offset + request.sizeBytes) } : failed('gone');
      case 'read-record': {
        if (blob?.complete !== true) return failed('gone');
        const record = recordOf(this.#crypto.tree, blob.bytes, 0);
        return 'kind' in record ? failed('damaged') : { ok: true, value: encodeRecord(record) };
      }
      case 'delete':
        this.#blobs.delete(key);
        return ok;
    }
  }

  /** As the host seals a person's file. */
  addFile(key: Uint8Array, content: Uint8Array): { readonly root: Uint8Array; readonly blobBytes: number } {
    const bytes = new Uint8Array(sealedBytes(content.length));
    let offset = 0;
    for (let index = 0; index < segmentCount(content.length); index += 1) {
      const sealed = sealSegment(this.#crypto, key, content.length, index, content.subarray(index * segmentPlainBytes, (index + 1) * segmentPlainBytes));
      bytes.set(sealed, offset);
      offset += sealed.length;
    }
    const name = { root: this.#crypto.blake3(bytes), length: bytes.length };
    this.#blobs.set(nameKey(name), { name, bytes, durable: bytes, snapshot: undefined, complete: true });
    return { root: name.root, blobBytes: name.length };
  }

  bytesOf(name: ContentName): Uint8Array | undefined {
    const blob = this.#blobs.get(nameKey(name));
    return blob?.complete === true ? blob.bytes : undefined;
  }

  crash(): void {
    const kept = new Map<string, Blob>();
    for (const [key, blob] of this.#blobs) {
      if (blob.complete) kept.set(key, blob);
      else if (blob.durable !== undefined) kept.set(key, { ...blob, bytes: blob.durable.slice() });
    }
    this.#blobs = kept;
  }
}

