/**
 * What is published under names, for everybody. A name's row says which content is under it; the bytes are a blob here that is not sealed. Our relays are told of it and come to
 * hold it (published-relays.ts); that is repeated while this visor runs, because neither is kept for ever.
 *
 * A name that is withdrawn stays as a row without content until all that relays were told of it has ended: a relay that was not there hears of it later.
 */
import { nameKey } from '../directed/datum.ts';
import { PublishedOffers } from './published-offers.ts';
import { PublishedRelays } from './published-relays.ts';
import { isNamed, lifetimeSeconds, nextNumber } from './published-rows.ts';
import { publishedStatus } from './published-status.ts';
import type { PublishedStatus } from '../inspection-types.ts';
import type { PublishedRow, VisorChange } from '../mail/visor-store.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { KeptFetches } from './kept-fetches.ts';

/** Relays take no more of one identity (mail/mailbox-names.ts). */
export const publishedMaximum = 1_024;
/** A record is renewed when it is so old. */
const renewAfterSeconds = 86_400;

export class Published {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #relays: PublishedRelays;
  readonly #offers: PublishedOffers;
  #rests: Pick<KeptFetches, 'note' | 'forget'> | undefined;

  constructor(context: VisorContext, shelf: BlobShelf, links: RelayLinks, isRegistered: (relay: string) => boolean) {
    this.#context = context;
    this.#shelf = shelf;
    this.#offers = new PublishedOffers(context, shelf);
    this.#relays = new PublishedRelays(context, links, isRegistered, this.#offers);
  }

  /** Where contents are written down that no name stands for any more, until they are deleted. */
  forgetBy(rests: Pick<KeptFetches, 'note' | 'forget'>): void { this.#rests = rests; }

  /** The blob is complete here. False: too many names. */
  publish(path: string, content: ContentName, mediaType: string, now: Instant, done: () => void): boolean {
    const before = this.#context.memory.published.get(path);
    if (before === undefined && this.#context.memory.published.size >= publishedMaximum) return false;
    this.#shelf.added(content);
    this.#offers.found(content);
    this.#put({ path, content, mediaType, publishedAtMs: now.wallMs, ...nextNumber(this.#context, before, now) }, before, now, done);
    return true;
  }

  /** False when nothing is published under it. */
  unpublish(path: string, now: Instant, done: () => void): boolean {
    const before = this.#context.memory.published.get(path);
    if (before?.content === undefined) return false;
    this.#put({ ...before, content: undefined, mediaType: '', ...nextNumber(this.#context, before, now) }, before, now, done);
    return true;
  }

  /** Renews what gets old, forgets what was withdrawn long ago. */
  renew(now: Instant): void {
    const nowSeconds = Math.floor(this.#context.correctedWallMs(now) / 1_000);
    const changes: VisorChange[] = [];
    for (const row of this.#context.memory.published.values()) {
      const leftSeconds = row.notAfterSeconds - nowSeconds;
      if (row.content === undefined) {
        if (leftSeconds <= 0) changes.push({ kind: 'delete-published', path: row.path });
      } else if (leftSeconds < lifetimeSeconds - renewAfterSeconds || leftSeconds > lifetimeSeconds + renewAfterSeconds) {
        changes.push({ kind: 'put-published', row: { ...row, ...nextNumber(this.#context, row, now) } });
      }
    }
    if (changes.length === 0) return;
    this.#context.commit(changes, { done: (_applied, at) => { for (const change of changes) if (change.kind === 'put-published') this.#relays.schedule(change.row.path, at); } });
  }

  /** This relay has a mailbox of ours and serves it: what it knows is to be found out anew. */
  registered(relay: string, now: Instant): void { this.#relays.registered(relay, now); }

  /** Those that are published now. */
  status(now: Instant): readonly PublishedStatus[] {
    const all: PublishedStatus[] = [];
    for (const row of this.#context.memory.published.values()) if (row.content !== undefined) all.push(publishedStatus(row, row.content, this.#relays.places, this.#offers.isLost(row.content), now));
    return all;
  }

  /** Whether a name stands for these bytes, which are not to be deleted then. */
  needs(content: ContentName): boolean { return isNamed(this.#context, content); }

  handleTimeout(now: Instant): void { this.#relays.handleTimeout(now); }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined { return this.#relays.pollTimeout(); }

  #put(row: PublishedRow, before: PublishedRow | undefined, now: Instant, done: () => void): void {
    const isSame = before?.content !== undefined && row.content !== undefined && nameKey(before.content) === nameKey(row.content);
    const released = isSame || before?.content === undefined ? undefined : this.#rests?.note(before.content, now);
    this.#context.commit([{ kind: 'put-published', row }, ...(released === undefined ? [] : [released])], {
      done: (_applied, at) => {
        done();
        if (before?.content !== undefined && !this.needs(before.content)) this.#release(before.content, at);
        else if (before?.content !== undefined && !isSame) this.#rests?.forget(before.content);
        if (!isSame) this.#relays.forget(row.path);
        this.#relays.schedule(row.path, at);
      },
    });
  }

  /** No name stands for it any more. */
  #release(content: ContentName, now: Instant): void {
    this.#offers.withdraw(content);
    this.#rests?.forget(content);
    const key = nameKey(content);
    for (const row of this.#context.memory.files.values()) if (nameKey({ root: row.root, length: row.blobBytes }) === key) return;
    this.#relays.drop(content, now);
  }
}
