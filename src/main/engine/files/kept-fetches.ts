/**
 * Which blobs lie here because somebody fetched what is published, or because we published them ourselves and do so no more. It is written down before
 * the first byte comes, or together with the end of the name, and until the blob is deleted, since a blob that nobody knows of would lie here for ever. Blobs
 * that lay here before are none of ours: they may be a file that somebody sent, and published too so that we delete it.
 */
import { nameKey } from '../directed/datum.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import type { FileRow, VisorChange } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { Published } from './published.ts';

const keptMaximum = 64;
/** Of what is written down: with those that were being deleted. */
const readMaximum = 2_048;
/** How long one stays that nobody goes on with. */
const keptMs = 86_400_000;
const keptKey = 'named-fetches';

interface Kept { readonly name: ContentName; readonly atMs: number }

export class KeptFetches {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #published: Published;
  readonly #isFetched: (content: ContentName) => boolean;
  /** Oldest first. */
  #kept: readonly Kept[];
  /** Being deleted. They stay written down until they are gone: power may fail in between. */
  #going: readonly Kept[] = [];

  /** @param isFetched somebody is fetching it just now. */
  constructor(context: VisorContext, shelf: BlobShelf, published: Published, isFetched: (content: ContentName) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#published = published;
    this.#isFetched = isFetched;
    this.#kept = parseKept(context.memory.values.get(keptKey) ?? '[]');
  }

  has(content: ContentName): boolean { return this.#without(content).length < this.#kept.length; }

  /** `done` when it is on the disk. */
  add(content: ContentName, now: Instant, done: (now: Instant) => void = () => undefined): void {
    this.#context.commit([this.note(content, now)], { done: (_applied, at) => { done(at); } });
  }

  /** To be committed together with that for which nobody needs it any more, and followed by `forget`. */
  note(content: ContentName, now: Instant): VisorChange {
    const others = this.#without(content);
    const oldest = others.length < keptMaximum ? undefined : others.find(({ name }) => !this.#isFetched(name));
    if (oldest !== undefined) this.forget(oldest.name);
    this.#kept = [...this.#without(content), { name: content, atMs: now.wallMs }];
    return this.#change();
  }

  /** Only what was written down as ours, and what nothing else needs. */
  forget(content: ContentName): void {
    const key = nameKey(content);
    const kept = this.#kept.find(({ name }) => nameKey(name) === key);
    if (kept === undefined || this.#isFetched(content)) return;
    this.#kept = this.#without(content);
    if (this.#isNeeded(content)) { this.#context.commit([this.#change()]); return; }
    this.#going = [...this.#going, kept];
    // Rows of files that came long ago are on the disk alone.
    this.#context.received(content, ({ received }) => {
      if (this.#isFetched(content)) this.#gone(kept, false);
      else if (received || this.#isNeeded(content)) this.#gone(kept, true);
      else this.#shelf.ask<'delete'>({ op: 'delete', name: content }, (result) => { this.#gone(kept, result.ok); });
    });
  }

  #gone(kept: Kept, isForgotten: boolean): void {
    this.#going = this.#going.filter((one) => one !== kept);
    if (!isForgotten) this.#kept = [kept, ...this.#without(kept.name)];
    this.#context.commit([this.#change()]);
  }

  forgetOld(now: Instant): void {
    const old = this.#kept.filter(({ name, atMs }) => Math.abs(now.wallMs - atMs) > keptMs && !this.#isFetched(name));
    for (const { name } of old) this.forget(name);
  }

  #without(content: ContentName): readonly Kept[] {
    const key = nameKey(content);
    return this.#kept.filter(({ name }) => nameKey(name) !== key);
  }

  #isNeeded(content: ContentName): boolean {
    const key = nameKey(content);
    if (this.#published.needs(content)) return true;
    for (const row of this.#context.memory.files.values()) if (!isOver(row) && nameKey({ root: row.root, length: row.blobBytes }) === key) return true;
    return false;
  }

  #change(): VisorChange {
    const here = new Set(this.#kept.map(({ name }) => nameKey(name)));
    const all = [...this.#going.filter(({ name }) => !here.has(nameKey(name))), ...this.#kept];
    return { kind: 'put-value', key: keptKey, value: JSON.stringify(all.map(({ name, atMs }) => [toHex(name.root), name.length, atMs])) };
  }
}

/** A file that came to nothing needs no bytes; a copy here goes by its row. */
const isOver = (row: FileRow): boolean => row.direction === 'in' ? row.stage === 'failed' : row.copy === 'gone';

/** What does not parse is left alone: it deletes nothing. */
function parseKept(text: string): readonly Kept[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value.slice(0, readMaximum).flatMap((entry: unknown): readonly Kept[] => {
    if (!Array.isArray(entry)) return [];
    const fields: readonly unknown[] = entry;
    const [rootText, length, atMs] = fields;
    const root = typeof rootText === 'string' && rootText.length === 64 ? fromHex(rootText) : undefined;
    if (root === undefined || typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1 || typeof atMs !== 'number' || !Number.isFinite(atMs)) return [];
    return [{ name: { root, length }, atMs }];
  });
}
