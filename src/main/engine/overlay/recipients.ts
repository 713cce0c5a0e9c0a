/**
 * Finding what is needed to write to somebody: their identity record (device, relays) and prekey bundle. Asked of their own relays first -
 * those of the last record, then those of the link they were added by - and of ours when these do not answer. Everything is
 * signed, so it does not matter who serves it; a lower sequence never replaces a higher one.
 */
import { decodeIdentityRecord, decodePrekeyBundle, verifyIdentityRecord, verifyPrekeyBundle } from '../wire/record.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { DeviceCertificate, IdentityRecord, Instant, PrekeyBundle, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { ContactRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { RelayLink, RelayLinks } from './relay-links.ts';

/** Records in use are asked for again after this: relays and prekeys change weekly at most. */
const freshForMs = 6 * 3_600_000;
const lookupDeadlineMs = 6_000;

export interface Recipient {
  readonly record: IdentityRecord;
  readonly device: DeviceCertificate;
  readonly bundle: PrekeyBundle;
  readonly relays: readonly RelayHint[];
}

export type LookupResult = { readonly ok: true; readonly recipient: Recipient } | { readonly ok: false; readonly reason: WaitReason };

interface Lookup {
  readonly waiting: ((result: LookupResult, now: Instant) => void)[];
  outstanding: number;
  reason: WaitReason;
  settled: boolean;
  /** A complete answer came that is no older than what we had. */
  kept: boolean;
}

export class Recipients {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #deviceChanged: (publicKey: PublicKeyHex, now: Instant) => void;
  readonly #lookups = new Map<PublicKeyHex, Lookup>();
  /** Decoded and verified once per contact row. */
  readonly #cache = new WeakMap<ContactRow, Recipient>();

  /** @param deviceChanged somebody we knew has another device now: it knows nothing of what we told the old one. */
  constructor(context: VisorContext, links: RelayLinks, deviceChanged: (publicKey: PublicKeyHex, now: Instant) => void) {
    this.#context = context;
    this.#links = links;
    this.#deviceChanged = deviceChanged;
  }

  /** What is known now, however old; undefined when something is missing. */
  known(publicKey: PublicKeyHex): Recipient | undefined {
    const contact = this.#context.memory.contacts.get(publicKey);
    if (contact?.identityRecord === undefined || contact.prekeyBundle === undefined) return undefined;
    const cached = this.#cache.get(contact);
    if (cached !== undefined) return cached;
    const record = decodeIdentityRecord(contact.identityRecord);
    const bundle = decodePrekeyBundle(contact.prekeyBundle);
    const device = record?.devices.find((one) => one.deviceId === bundle?.deviceId);
    if (record === undefined || bundle === undefined || device === undefined) return undefined;
    const recipient: Recipient = { record, device, bundle, relays: record.relays.length > 0 ? record.relays : contact.relays };
    this.#cache.set(contact, recipient);
    return recipient;
  }

  /** Where their mail goes, as far as is known. */
  relaysOf(publicKey: PublicKeyHex): readonly RelayHint[] { return this.known(publicKey)?.relays ?? this.#context.memory.contacts.get(publicKey)?.relays ?? []; }

  isFresh(publicKey: PublicKeyHex, now: Instant, withinMs = freshForMs): boolean {
    const fetchedAtMs = this.#context.memory.contacts.get(publicKey)?.recordsFetchedAtMs ?? 0;
    return fetchedAtMs > 0 && Math.abs(now.wallMs - fetchedAtMs) < withinMs;
  }

  /** Something proved the records wrong: the next lookup asks again. */
  invalidate(publicKey: PublicKeyHex): void {
    const contact = this.#context.memory.contacts.get(publicKey);
    if (contact !== undefined && contact.recordsFetchedAtMs !== 0) this.#context.commit([{ kind: 'put-contact', row: { ...contact, recordsFetchedAtMs: 0 } }]);
  }

  /** @param withinMs how old an answer may be that needs no asking. */
  lookup(publicKey: PublicKeyHex, now: Instant, done: (result: LookupResult, now: Instant) => void, withinMs = freshForMs): void {
    const known = this.known(publicKey);
    if (known !== undefined && this.isFresh(publicKey, now, withinMs)) { done({ ok: true, recipient: known }, now); return; }
    const running = this.#lookups.get(publicKey);
    if (running !== undefined) { running.waiting.push(done); return; }
    const contact = this.#context.memory.contacts.get(publicKey);
    const candidates = contact === undefined ? [] : this.#candidates(contact, known);
    if (candidates.length === 0) { done({ ok: false, reason: 'no-relay-known' }, now); return; }
    const theirs = new Set([...(known?.relays ?? []), ...(contact?.relays ?? [])].map((hint) => hint.publicKey));
    const lookup: Lookup = { waiting: [done], outstanding: candidates.length, reason: theirs.size === 0 ? 'no-relay-known' : 'relay-unreachable', settled: false, kept: false };
    this.#lookups.set(publicKey, lookup);
    for (const hint of candidates) this.#askOne(publicKey, hint, theirs.has(hint.publicKey), lookup, now);
  }

  /** Their relays; ours too, since both may be customers of one relay that has moved. */
  #candidates(contact: ContactRow, known: Recipient | undefined): readonly RelayHint[] {
    const hints = new Map<string, RelayHint>();
    for (const hint of [...(known?.relays ?? []), ...contact.relays]) if (!hints.has(hint.publicKey)) hints.set(hint.publicKey, hint);
    for (const row of this.#context.memory.relays.values()) if (!hints.has(row.publicKey)) hints.set(row.publicKey, { publicKey: row.publicKey, host: row.host, port: row.port });
    return [...hints.values()].slice(0, 6);
  }

  /** @param isTheirs that our own relays have never heard of them says nothing; that theirs have not does. */
  #askOne(publicKey: PublicKeyHex, hint: RelayHint, isTheirs: boolean, lookup: Lookup, now: Instant): void {
    const finished = (at: Instant): void => {
      lookup.outstanding -= 1;
      if (lookup.outstanding === 0) this.#settle(publicKey, lookup, at);
    };
    const link = this.#links.deposit(hint, now);
    if (link === undefined) { finished(now); return; }
    this.#links.whenUp(link, lookupDeadlineMs, now, (up, at) => {
      if (!up) { finished(at); return; }
      this.#request(link, { kind: 'identity', identity: publicKey, deviceId: undefined }, at, (bytes, reached, then) => {
        const record = bytes === undefined ? undefined : decodeIdentityRecord(bytes);
        const device = record?.devices[0];
        if (bytes === undefined || record === undefined || device === undefined || record.identity !== publicKey || !verifyIdentityRecord(record)) {
          if (reached && isTheirs && lookup.reason === 'relay-unreachable') lookup.reason = 'recipient-unknown';
          finished(then);
          return;
        }
        this.#request(link, { kind: 'prekey', identity: publicKey, deviceId: device.deviceId }, then, (bundleBytes, _reached, last) => {
          const bundle = bundleBytes === undefined ? undefined : decodePrekeyBundle(bundleBytes);
          if (bundleBytes === undefined || bundle === undefined || !verifyPrekeyBundle(this.#context.crypto, bundle, device)) {
            lookup.reason = 'recipient-unprepared';
            finished(last);
            return;
          }
          lookup.kept = this.#keep(publicKey, record, bundle, last) || lookup.kept;
          lookup.outstanding -= 1;
          // The first complete answer serves who waits; a later one with a higher sequence is kept all the same.
          this.#settle(publicKey, lookup, last);
        });
      });
    });
  }

  #request(link: RelayLink, name: { kind: 'identity' | 'prekey'; identity: PublicKeyHex; deviceId: string | undefined }, now: Instant, done: (bytes: Uint8Array | undefined, reached: boolean, now: Instant) => void): void {
    if (link.sessionId === undefined) { done(undefined, false, now); return; }
    this.#context.directed.request(link.sessionId, { verb: 'record', ...name }, {
      deadlineMs: lookupDeadlineMs,
      done: (outcome, at) => {
        if (outcome.kind === 'answered') done(outcome.payloads[0], true, at);
        else done(undefined, outcome.kind === 'negative', at);
      },
    }, now);
  }

  #keep(publicKey: PublicKeyHex, record: IdentityRecord, bundle: PrekeyBundle, now: Instant): boolean {
    const contact = this.#context.memory.contacts.get(publicKey);
    if (contact === undefined) return false;
    const before = this.known(publicKey);
    if (before !== undefined && before.record.sequence > record.sequence) return false;
    const olderBundle = before !== undefined && before.bundle.deviceId === bundle.deviceId && before.bundle.prekeyId > bundle.prekeyId;
    const keepBundle = olderBundle ? before.bundle : bundle;
    this.#context.commit([{ kind: 'put-contact', row: { ...contact, identityRecord: record.bytes, prekeyBundle: keepBundle.bytes, recordsFetchedAtMs: now.wallMs } }]);
    if (before !== undefined && before.device.deviceId !== keepBundle.deviceId) this.#deviceChanged(publicKey, now);
    return true;
  }

  #settle(publicKey: PublicKeyHex, lookup: Lookup, now: Instant): void {
    if (lookup.settled) return;
    const recipient = this.known(publicKey);
    // Just kept, that is: what was fresh before would not have been asked for.
    const fresh = recipient !== undefined && lookup.kept;
    if (!fresh && lookup.outstanding > 0) return;
    lookup.settled = true;
    this.#lookups.delete(publicKey);
    // Nobody had anything newer, but what we had before may still be right: an old record beats not trying.
    const result: LookupResult = recipient !== undefined ? { ok: true, recipient } : { ok: false, reason: lookup.reason };
    for (const done of lookup.waiting) done(result, now);
  }
}
