/** A large content that is in no memory: a stretch of bytes over and over, with the tree over all of it, as a publisher would have it of a file. */
import { startRecord } from '../../../src/main/engine/lockstep/lockstep.ts';
import { geometryOf } from '../../../src/main/engine/lockstep/geometry.ts';
import { crypto } from '../../endpoint.ts';
import type { Datum, DatumLoaded } from '../../../src/main/engine/directed/datum.ts';
import type { Geometry } from '../../../src/main/engine/lockstep/geometry.ts';
import type { LockstepRecord } from '../../../src/main/engine/lockstep/lockstep.ts';
import type { ContentName, Instant } from '../../../src/main/engine/wire/types.ts';

/** A multiple of every leaf and block, so that none lies across its end. */
const stretchBytes = 4 * 1_048_576;

export class GeneratedContent implements Datum {
  readonly lengthBytes: number;
  readonly memoryBytes = stretchBytes;
  readonly #stretch = new Uint8Array(stretchBytes);
  readonly #record: LockstepRecord;
  readonly #records = new Map<number, LockstepRecord | undefined>();

  /** @param lengthBytes a multiple of 4 MiB. */
  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
    for (let index = 0; index < stretchBytes; index += 1) this.#stretch[index] = Math.imul(index, 2_654_435_761) >>> 24;
    const start = startRecord(crypto.tree, { lengthBytes, groupShift: 0 });
    if (start.kind === 'refused') throw new RangeError(`a content of ${String(lengthBytes)} bytes has no record: ${start.reason}`);
    for (let offset = 0; offset < lengthBytes; offset += stretchBytes) start.builder.update(this.#stretch);
    const record = start.builder.finish();
    if (record === undefined) throw new RangeError('a multiple of 4 MiB is needed');
    this.#record = record;
  }

  get name(): ContentName { return { root: this.#record.root, length: this.lengthBytes }; }

  geometry(groupShift: number): Geometry | undefined { return geometryOf(this.lengthBytes, groupShift); }

  record(groupShift: number): LockstepRecord | undefined {
    if (!this.#records.has(groupShift)) this.#records.set(groupShift, this.#record.atGroupShift(groupShift));
    return this.#records.get(groupShift);
  }

  peek(offset: number, sizeBytes: number): Uint8Array {
    const start = offset % stretchBytes;
    return this.#stretch.subarray(start, start + sizeBytes);
  }

  load(_offset: number, _sizeBytes: number, loaded: DatumLoaded, now: Instant): void { loaded('ready', now); }
}
