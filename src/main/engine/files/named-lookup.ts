/**
 * One search for a named record: each relay that may know is asked for it and for the publisher's identity record, which tells of more relays to ask. It ends when
 * all have answered, when some have and the others take their time, or at its end.
 */
import { decodeIdentityRecord, verifyIdentityRecord } from '../wire/record.ts';
import { decodeNamedRecord, isNamedRecordOver, verifyNamedRecord } from '../wire/named-record.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, NamedRecord, PublicKeyHex, RelayHint, RequestBody } from '../wire/types.ts';

/** Asked in all. Identity records name three at most, and we have eight of our own. */
const relaysMaximum = 12;
const linkDeadlineMs = 6_000;
const requestDeadlineMs = 6_000;
/** How long others are waited for once there is a record: one of them may have a newer one. */
const graceMs = 1_000;

export interface LookupResult {
  /** The newest that is signed and not over. */
  readonly record: NamedRecord | undefined;
  /** Some relay was there and said what it knows. */
  readonly answered: boolean;
  /** All that may have the content; those that had the record come first. */
  readonly relays: readonly RelayHint[];
  /** Those of them that had a record, the newest first. */
  readonly holders: readonly RelayHint[];
}

export class NamedLookup {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #publicKey: PublicKeyHex;
  readonly #path: string;
  readonly #done: (result: LookupResult, now: Instant) => void;
  readonly #relays = new Map<string, { readonly hint: RelayHint; sequence: number }>();
  #outstanding = 0;
  #answered = false;
  #ended = false;
  #record: NamedRecord | undefined;
  #endAtMs = Infinity;

  constructor(context: VisorContext, links: RelayLinks, publicKey: PublicKeyHex, path: string, events: { done(result: LookupResult, now: Instant): void }) {
    this.#context = context;
    this.#links = links;
    this.#publicKey = publicKey;
    this.#path = path;
    this.#done = (result, now) => { events.done(result, now); };
  }

  start(hints: readonly RelayHint[], now: Instant): void {
    // Held open until all are added: the first may fail at once.
    this.#outstanding += 1;
    for (const hint of hints) this.#add(hint, now);
    this.#settled(now);
  }

  handleTimeout(now: Instant): void { if (now.monotonicMs >= this.#endAtMs) this.#end(now); }

  #add(hint: RelayHint, now: Instant): void {
    if (this.#relays.has(hint.publicKey) || this.#relays.size >= relaysMaximum) return;
    this.#relays.set(hint.publicKey, { hint, sequence: -1 });
    const link = this.#links.deposit(hint, now);
    if (link === undefined) return;
    this.#outstanding += 1;
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      if (up && !this.#ended) {
        this.#ask(link, { verb: 'record', kind: 'named', identity: this.#publicKey, path: this.#path }, at, (bytes) => { this.#onRecord(hint, bytes, at); });
        this.#ask(link, { verb: 'record', kind: 'identity', identity: this.#publicKey, deviceId: undefined }, at, (bytes, then) => { this.#onIdentity(bytes, then); });
      }
      this.#settled(at);
    });
  }

  #ask(link: RelayLink, body: RequestBody, now: Instant, answered: (bytes: Uint8Array, now: Instant) => void): void {
    if (link.sessionId === undefined) return;
    this.#outstanding += 1;
    this.#context.directed.request(link.sessionId, body, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, at) => {
        if (this.#ended) return;
        if (outcome.kind === 'answered' || outcome.kind === 'negative') this.#answered = true;
        const bytes = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
        if (bytes !== undefined) answered(bytes, at);
        this.#settled(at);
      },
    }, now);
  }

  #onRecord(hint: RelayHint, bytes: Uint8Array, now: Instant): void {
    const record = decodeNamedRecord(bytes);
    if (record === undefined || record.identity !== this.#publicKey || record.path !== this.#path || isNamedRecordOver(record, this.#context.correctedWallMs(now)) || !verifyNamedRecord(record)) {
      this.#context.count('named.bad-record');
      return;
    }
    const relay = this.#relays.get(hint.publicKey);
    if (relay !== undefined) relay.sequence = record.sequence;
    if (this.#record === undefined || record.sequence > this.#record.sequence) this.#record = record;
    this.#endAtMs = Math.min(this.#endAtMs, now.monotonicMs + graceMs);
  }

  #onIdentity(bytes: Uint8Array, now: Instant): void {
    const record = decodeIdentityRecord(bytes);
    if (record === undefined || record.identity !== this.#publicKey || !verifyIdentityRecord(record)) return;
    for (const hint of record.relays) this.#add(hint, now);
  }

  #settled(now: Instant): void {
    this.#outstanding -= 1;
    if (this.#outstanding === 0) this.#end(now);
  }

  #end(now: Instant): void {
    if (this.#ended) return;
    this.#ended = true;
    const sorted = [...this.#relays.values()].sort((one, other) => other.sequence - one.sequence);
    const relays = sorted.map(({ hint }) => hint);
    const holders = sorted.filter(({ sequence }) => sequence >= 0).map(({ hint }) => hint);
    this.#done({ record: this.#record, answered: this.#answered, relays, holders }, now);
  }
}
