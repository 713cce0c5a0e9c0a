/**
 * Asks the relays that may know for the record of a name, and answers with the newest that was ever seen.
 *
 * Who was told of a relay once may ask without it the next time, and know no other where the publisher is. What was seen is believed then, so it has to be known too where
 * it was: otherwise its content would be waited for at relays that never had it.
 */
import { isNamedRecordOver } from '../wire/named-record.ts';
import { NamedLookup, type LookupResult } from './named-lookup.ts';
import type { RelayLinks } from '../overlay/relay-links.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, NamedRecord, RelayHint } from '../wire/types.ts';
import type { NamedFetch } from './named-fetch.ts';

/** Records that were seen, so that no relay can turn one back while this visor runs. */
const seenMaximum = 256;
/** Relays remembered for each: their publisher has three at most, and one may have been named besides. */
const holdersMaximum = 4;

interface Seen {
  readonly record: NamedRecord;
  /** Where the name was found, those of the last search first. */
  readonly holders: readonly RelayHint[];
}

export class NamedSearch {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #recipients: Recipients;
  readonly #seen = new Map<string, Seen>();

  constructor(context: VisorContext, links: RelayLinks, recipients: Recipients) {
    this.#context = context;
    this.#links = links;
    this.#recipients = recipients;
  }

  /** Another search for the same fetch ends this one without a word. False: there is no relay to ask. */
  begin(fetch: NamedFetch, now: Instant, searched: (record: NamedRecord | undefined, result: LookupResult, now: Instant) => void): boolean {
    const { publicKey, path, relay } = fetch;
    const contact = this.#context.memory.contacts.get(publicKey);
    const ownRelays = [...this.#context.memory.relays.values()].map(({ publicKey: key, host, port }) => ({ publicKey: key, host, port }));
    const hints = [...(relay === undefined ? [] : [relay]), ...(this.#recipients.known(publicKey)?.relays ?? contact?.relays ?? []), ...(this.#seen.get(fetch.key)?.holders ?? []), ...ownRelays];
    if (hints.length === 0) return false;
    const lookup = new NamedLookup(this.#context, this.#links, publicKey, path, {
      done: (result, at) => {
        if (fetch.lookup !== lookup) return;
        fetch.lookup = undefined;
        searched(this.#newest(fetch.key, result, at), result, at);
      },
    });
    fetch.lookup = lookup;
    lookup.start(hints, now);
    return true;
  }

  /** A lower sequence never replaces a higher one, and nothing is believed after its end. */
  #newest(key: string, { record, holders }: LookupResult, now: Instant): NamedRecord | undefined {
    const before = this.#seen.get(key);
    const kept = before !== undefined && !isNamedRecordOver(before.record, this.#context.correctedWallMs(now)) ? before : undefined;
    const newest = record === undefined || (kept !== undefined && kept.record.sequence >= record.sequence) ? kept?.record : record;
    this.#seen.delete(key);
    if (newest !== undefined) this.#seen.set(key, { record: newest, holders: merged(holders, kept?.holders ?? []) });
    const oldest = this.#seen.keys().next();
    if (this.#seen.size > seenMaximum && oldest.done !== true) this.#seen.delete(oldest.value);
    return newest;
  }
}

/** One of each relay, the newest word of where it is. */
function merged(holders: readonly RelayHint[], before: readonly RelayHint[]): readonly RelayHint[] {
  const named = new Set(holders.map(({ publicKey }) => publicKey));
  return [...holders, ...before.filter(({ publicKey }) => !named.has(publicKey))].slice(0, holdersMaximum);
}
