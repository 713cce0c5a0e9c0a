/** Contents that are published and that some relay still has to get from here: offered to whoever shows the name, as long as that lasts. */
import { nameKey } from '../directed/datum.ts';
import { openBlobDatum } from './blob-datum.ts';
import { PieceCache } from './piece-cache.ts';
import type { VisorContext } from '../visor-context.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';

interface Offer { readonly name: ContentName; offered: boolean }

export class PublishedOffers {
  readonly #context: VisorContext;
  readonly #shelf: BlobShelf;
  readonly #offers = new Map<string, Offer>();
  readonly #pieces = new PieceCache();
  /** Contents of which nothing (whole) is here any more. */
  readonly #lost = new Set<string>();

  constructor(context: VisorContext, shelf: BlobShelf) {
    this.#context = context;
    this.#shelf = shelf;
  }

  isLost(content: ContentName): boolean { return this.#lost.has(nameKey(content)); }

  /** It is here, whatever was found before. */
  found(content: ContentName): void { this.#lost.delete(nameKey(content)); }

  offer(content: ContentName, now: Instant, then: (offered: boolean, now: Instant) => void): void {
    const key = nameKey(content);
    if (this.#offers.get(key)?.offered === true) { then(true, now); return; }
    const offer: Offer = { name: content, offered: false };
    this.#offers.set(key, offer);
    openBlobDatum(this.#shelf.ask, this.#context.crypto.tree, this.#pieces, content, (datum, at) => {
      // A disk that fails may be well again: only what is gone or damaged is lost.
      if (datum === 'disk-full' || datum === 'io') { then(false, at); return; }
      if (typeof datum === 'string') {
        this.#lost.add(key);
        this.#context.log('warn', 'published.blob-lost', {});
        then(false, at);
        return;
      }
      if (this.#offers.get(key) === offer) {
        offer.offered = true;
        this.#context.directed.publisher.offerDatum(content, datum);
      }
      then(true, at);
    });
  }

  withdraw(content: ContentName): void {
    const key = nameKey(content);
    const offer = this.#offers.get(key);
    this.#offers.delete(key);
    if (offer?.offered === true) this.#context.directed.publisher.withdraw(content);
  }
}
