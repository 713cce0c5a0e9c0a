/**
 * Which blobs lie here because somebody fetched what is published. It is written down before the first byte comes, since a blob that nobody knows of
 * would lie here for ever. Blobs that lay here before are none of ours: they may be a file that somebody sent, and published too so that we delete it.
 */
import { nameKey } from '../directed/datum.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { Published } from './published.ts';

const keptMaximum = 64;
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

  /** @param isFetched somebody is fetching it just now. */
  constructor(context: VisorContext, shelf: BlobShelf, published: Published, isFetched: (content: ContentName) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#published = published;
    this.#isFetched = isFetched;
    this.#kept = parseKept(context.memory.values.get(keptKey) ?? '[]');
  }

  add(content: ContentName, now: Instant): void {
    const [oldest] = this.#kept;
    if (this.#kept.length >= keptMaximum && oldest !== undefined && !this.#isFetched(oldest.name)) this.forget(oldest.name);
    this.#write([...this.#kept, { name: content, atMs: now.wallMs }]);
  }

  /** Only what was written down as ours, and what nothing else needs. */
  forget(content: ContentName): void {
    const key = nameKey(content);
    const rest = this.#kept.filter(({ name }) => nameKey(name) !== key);
    if (rest.length === this.#kept.length) return;
    this.#write(rest);
    if (this.#published.needs(content)) return;
    for (const row of this.#context.memory.files.values()) if (nameKey({ root: row.root, length: row.blobBytes }) === key) return;
    this.#shelf.ask<'delete'>({ op: 'delete', name: content }, () => undefined);
  }

  forgetOld(now: Instant): void {
    const old = this.#kept.filter(({ name, atMs }) => Math.abs(now.wallMs - atMs) > keptMs && !this.#isFetched(name));
    for (const { name } of old) this.forget(name);
  }

  #write(kept: readonly Kept[]): void {
    this.#kept = kept;
    const value = JSON.stringify(kept.map(({ name, atMs }) => [toHex(name.root), name.length, atMs]));
    this.#context.commit([{ kind: 'put-value', key: keptKey, value }]);
  }
}

/** What does not parse is left alone: it deletes nothing. */
function parseKept(text: string): readonly Kept[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value.slice(0, keptMaximum).flatMap((entry: unknown): readonly Kept[] => {
    if (!Array.isArray(entry)) return [];
    const fields: readonly unknown[] = entry;
    const [rootText, length, atMs] = fields;
    const root = typeof rootText === 'string' && rootText.length === 64 ? fromHex(rootText) : undefined;
    if (root === undefined || typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1 || typeof atMs !== 'number' || !Number.isFinite(atMs)) return [];
    return [{ name: { root, length }, atMs }];
  });
}
