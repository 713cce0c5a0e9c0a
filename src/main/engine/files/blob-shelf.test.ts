import { describe, expect, it } from 'vitest';
import { BlobShelf } from './blob-shelf.ts';
import type { BlobRequest, BlobResult } from './blob-store.ts';
import type { ContentName, Instant } from '../wire/types.ts';

const name: ContentName = { root: new Uint8Array(32).fill(3), length: 100 };
const now: Instant = { monotonicMs: 0, wallMs: 0 };
const ok = { ok: true, value: undefined } as const;
const snapshot = new Uint8Array(44);

/** Requests wait until `answer`. */
function stage(complete: boolean): { readonly shelf: BlobShelf; answer(result?: BlobResult): void } {
  const waiting: ((result: BlobResult) => void)[] = [];
  const shelf = new BlobShelf((_request: BlobRequest, done) => { waiting.push((result) => { done(result as never, now); }); }, [{ name, complete, snapshot: undefined }]);
  return { shelf, answer: (result = ok) => { waiting.shift()?.(result); } };
}

describe('the shelf', () => {
  it('does not count as here what is being deleted, and counts it again when it is begun anew', () => {
    const { shelf, answer } = stage(true);
    shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
    expect(shelf.info(name)).toBeUndefined();
    shelf.ask<'begin'>({ op: 'begin', name }, () => undefined);
    answer();
    answer();
    expect(shelf.info(name)).toMatchObject({ complete: false, snapshot: undefined });
  });

  it('takes nothing back from a whole one when a late request about its parts is answered', () => {
    const { shelf, answer } = stage(false);
    shelf.ask<'complete'>({ op: 'complete', name }, () => undefined);
    shelf.ask<'checkpoint'>({ op: 'checkpoint', name, snapshot }, () => undefined);
    shelf.ask<'checkpoint'>({ op: 'checkpoint', name, snapshot }, () => undefined);
    answer();
    answer();
    answer({ ok: false, failure: 'gone' });
    expect(shelf.isComplete(name)).toBe(true);
  });

  it('forgets what is gone or damaged', () => {
    for (const failure of ['gone', 'damaged'] as const) {
      const { shelf, answer } = stage(true);
      shelf.ask<'read'>({ op: 'read', name, offset: 0, sizeBytes: 1 }, () => undefined);
      answer({ ok: false, failure });
      expect([...shelf.all]).toEqual([]);
    }
  });
});
