/** What is written down about contents that were fetched by name, or published, and when it may be forgotten. */
import { beforeEach, describe, expect, it } from 'vitest';
import { KeptFetches } from './kept-fetches.ts';
import { BlobShelf } from './blob-shelf.ts';
import { toHex } from '../wire/bytes.ts';
import type { BlobRequest } from './blob-store.ts';
import type { Published } from './published.ts';
import type { VisorChange } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';

const now: Instant = { monotonicMs: 0, wallMs: 1_000_000 };
const contentOf = (index: number): ContentName => ({ root: new Uint8Array(32).fill(index), length: 100 + index });
const textOf = ({ root, length }: ContentName): string => `${toHex(root)}-${String(length)}`;

/** A visor's memory and disk, as far as this is about them. */
class Desk {
  readonly values = new Map<string, string>();
  readonly asked: { readonly request: BlobRequest; answer(isDone: boolean): void }[] = [];
  readonly fetched = new Set<string>();
  readonly published = new Set<string>();
  readonly received = new Set<string>();
  readonly kept: KeptFetches;

  constructor() {
    const context = {
      memory: { values: this.values, files: new Map() },
      received: (content: ContentName, done: (result: { readonly received: boolean }, at: Instant) => void): void => { done({ received: this.received.has(textOf(content)) }, now); },
      commit: (changes: readonly VisorChange[]): void => { for (const change of changes) this.commit(change); },
    } as unknown as VisorContext;
    const shelf = new BlobShelf((request, done) => {
      this.asked.push({ request, answer: (isDone) => { done(isDone ? { ok: true, value: undefined } as never : { ok: false, failure: 'io' }, now); } });
    }, []);
    const published = { needs: (content: ContentName) => this.published.has(textOf(content)) } as unknown as Published;
    this.kept = new KeptFetches(context, shelf, published, (content) => this.fetched.has(textOf(content)));
  }

  commit(change: VisorChange): void { if (change.kind === 'put-value') this.values.set(change.key, change.value); }

  /** As after a crash now. */
  get written(): readonly string[] {
    const entries: readonly (readonly [string, number, number])[] = JSON.parse(this.values.get('named-fetches') ?? '[]') as [string, number, number][];
    return entries.map(([root, length]) => `${root}-${String(length)}`);
  }
}

describe('contents that are kept for a while', () => {
  let desk: Desk;
  const [first, second] = [contentOf(1), contentOf(2)];
  beforeEach(() => { desk = new Desk(); });

  it('are written down until they are deleted, so that power may fail in between', () => {
    desk.kept.add(first, now);
    desk.kept.forget(first);
    expect(desk.asked.map(({ request }) => request.op)).toEqual(['delete']);
    expect(desk.written).toEqual([textOf(first)]);
    desk.asked[0]?.answer(true);
    expect(desk.written).toEqual([]);
  });

  it('are written down until each of them is deleted, when several go at once', () => {
    desk.kept.add(first, now);
    desk.kept.add(second, now);
    desk.kept.forget(first);
    desk.kept.forget(second);
    desk.asked[0]?.answer(true);
    expect(desk.written).toEqual([textOf(second)]);
    desk.asked[1]?.answer(true);
    expect(desk.written).toEqual([]);
  });

  it('stay written down when the disk does not delete them, and are tried again', () => {
    desk.kept.add(first, now);
    desk.kept.forget(first);
    desk.asked[0]?.answer(false);
    desk.kept.add(second, now);
    expect(desk.written).toEqual([textOf(first), textOf(second)]);
    desk.kept.forgetOld({ ...now, wallMs: now.wallMs + 2 * 86_400_000 });
    expect(desk.asked).toHaveLength(3);
  });

  it('are not deleted while they are fetched, nor when something is published that needs them', () => {
    desk.kept.add(first, now);
    desk.fetched.add(textOf(first));
    desk.kept.forget(first);
    expect(desk.written).toEqual([textOf(first)]);
    desk.fetched.clear();
    desk.published.add(textOf(first));
    desk.kept.forget(first);
    expect([desk.asked, desk.written]).toEqual([[], []]);
  });

  it('are not deleted when a file that came long ago has the same bytes', () => {
    desk.kept.add(first, now);
    desk.received.add(textOf(first));
    desk.kept.forget(first);
    expect([desk.asked, desk.written]).toEqual([[], []]);
  });

  it('that are asked for again while they go are written down again', () => {
    desk.kept.add(first, now);
    desk.kept.forget(first);
    desk.kept.add(first, now);
    desk.asked[0]?.answer(true);
    expect(desk.written).toEqual([textOf(first)]);
  });

  it('are 64 at most and each stands there once: the oldest that nobody fetches gives way', () => {
    for (let index = 1; index <= 64; index += 1) desk.kept.add(contentOf(index), now);
    desk.fetched.add(textOf(first));
    desk.kept.add(contentOf(3), now);
    expect(desk.written).toHaveLength(64);
    for (let index = 65; index <= 80; index += 1) desk.kept.add(contentOf(index), now);
    expect(desk.written).toHaveLength(80);
    for (const { answer } of desk.asked) answer(true);
    expect(desk.written).toHaveLength(64);
    expect(desk.written[0]).toBe(textOf(first));
    expect(desk.asked.map(({ request }) => (request.op === 'delete' ? request.name.length : 0))).toContain(second.length);
  });

  it('go with the commit of what replaces them', () => {
    const change = desk.kept.note(first, now);
    expect(desk.written).toEqual([]);
    desk.commit(change);
    expect(desk.written).toEqual([textOf(first)]);
  });
});
