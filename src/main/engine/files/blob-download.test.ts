import { describe, expect, it } from 'vitest';
import { Pair } from '../directed/testing.ts';
import { geometryOf } from '../lockstep/geometry.ts';
import { encodeSnapshot } from '../lockstep/lockstep.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { BlobDownload } from './blob-download.ts';
import { BlobShelf } from './blob-shelf.ts';
import type { BlobDownloadEvents } from './blob-download.ts';

const root = new Uint8Array(32).fill(1);
const name = { root, length: 10_000 };
const geometry = geometryOf(name.length, 0);
if (geometry === undefined) throw new Error('a length that contents have');
/** The first two leaves and the last, which is shorter. */
const snapshot = encodeSnapshot({ root, geometry, verified: [{ start: 0, end: 2 }, { start: 9, end: 10 }] });
const storedBytes = 2 * 1_024 + 10_000 - 9 * 1_024;
const events: BlobDownloadEvents = { completed: () => undefined, failed: () => undefined, sourceEnded: () => undefined };

describe('a download whose disk has not answered yet', () => {
  it('says how much was stored before, and whom it will ask', () => {
    const pair = new Pair(nobleCrypto, 0);
    const download = new BlobDownload(pair.left, () => undefined, name, snapshot, events);
    expect([download.verifiedBytes, download.sources]).toEqual([storedBytes, []]);
    download.addSource(7, pair.now);
    expect(download.sources).toEqual([{ sessionId: 7, receivedBytes: 0, badFragments: 0 }]);
    download.removeSource(7, pair.now);
    expect(download.sources).toEqual([]);
  });
});

describe('the shelf', () => {
  it('knows how much of a content is durable', () => {
    const shelf = (complete: boolean, stored: Uint8Array | undefined): BlobShelf => new BlobShelf(() => undefined, [{ name, complete, snapshot: stored }]);
    expect(shelf(false, snapshot).storedBytes(name)).toBe(storedBytes);
    expect(shelf(true, undefined).storedBytes(name)).toBe(name.length);
    expect(shelf(false, undefined).storedBytes(name)).toBe(0);
    expect(shelf(false, new Uint8Array(9)).storedBytes(name)).toBe(0);
    expect(shelf(false, snapshot).storedBytes({ root, length: 9_999 })).toBe(0);
  });
});
