/**
 * Finding what is needed to write to somebody: their identity record (device, relays) and prekey bundle. Asked of their own relays first -
 * those of the last record, then those of the link they were added by - and of ours at the same time; when none of these has it, or no relay of theirs is known, of
 * ours and their peers (engine/directory), and then of the directory relays that the person has named. Everything is
 * signed, so it does not matter who serves it; a lower sequence never replaces a higher one. A record says where mail goes, and nothing of who is there.
 */
import { answersResolve, askRelay } from '../directory/ask-relay.ts';
import { proveRecords } from '../directory/found-records.ts';
import { decodeIdentityRecord, decodePrekeyBundle } from '../wire/record.ts';
import { parseRelayHint } from '../wire/relay-hint.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { DeviceCertificate, IdentityRecord, Instant, PrekeyBundle, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { ContactRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { RelayLinks } from './relay-links.ts';
import { noFriendHolders, type FriendHolders } from '../mail/friend-relays.ts';

/** Records in use are asked for again after this: relays and prekeys change weekly at most. */
const freshForMs = 6 * 3_600_000;
const lookupDeadlineMs = 6_000;
/** Whose relays do not answer is looked for elsewhere no more often than this, as long as what is known of them may still be right. */
const widenAgainMs = 10 * 60_000;
const firstRoundMaximum = 6;

export interface Recipient {
  readonly record: IdentityRecord;
  readonly device: DeviceCertificate;
  readonly bundle: PrekeyBundle;
  /** Those that the person has not banned. */
  readonly relays: readonly RelayHint[];
  /** There are others, and all are banned. */
  readonly isBarred: boolean;
}

export type LookupResult = { readonly ok: true; readonly recipient: Recipient } | { readonly ok: false; readonly reason: WaitReason };

/** Relays that are asked together; the next round begins when none of them had anything. */
interface Round { readonly hints: readonly RelayHint[]; /** They may ask their peers. */ readonly onward: boolean }

interface Lookup {
  readonly rounds: Round[];
  /** Relays of theirs, by key. */
  readonly theirs: ReadonlySet<PublicKeyHex>;
  /** Did not answer, or cannot ask anybody else: not asked in later rounds. */
  readonly spent: Set<PublicKeyHex>;
  readonly waiting: ((result: LookupResult, now: Instant) => void)[];
  outstanding: number;
  reason: WaitReason;
  settled: boolean;
  /** A complete answer came that is no older than what we had. */
  kept: boolean;
}

export class Recipients {
  /** Relays of friends, where their mail may go besides. */
  readonly friends: FriendHolders;
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #deviceChanged: (publicKey: PublicKeyHex, now: Instant) => void;
  readonly #lookups = new Map<PublicKeyHex, Lookup>();
  /** Monotonic ms when somebody whom we know was last looked for elsewhere. */
  readonly #widened = new Map<PublicKeyHex, number>();
  /** Decoded and verified once per contact row. */
  readonly #cache = new WeakMap<ContactRow, { readonly recipient: Recipient; readonly bansVersion: number }>();

  /** @param deviceChanged somebody we knew has another device now: it knows nothing of what we told the old one. */
  constructor(context: VisorContext, links: RelayLinks, deviceChanged: (publicKey: PublicKeyHex, now: Instant) => void, friends: FriendHolders = noFriendHolders) {
    this.friends = friends;
    this.#context = context;
    this.#links = links;
    this.#deviceChanged = deviceChanged;
  }

  /** What is known now, however old; undefined when something is missing. */
  known(publicKey: PublicKeyHex): Recipient | undefined {
    const contact = this.#context.memory.contacts.get(publicKey);
    if (contact?.identityRecord === undefined || contact.prekeyBundle === undefined) return undefined;
    const cached = this.#cache.get(contact);
    const { bannedRelays, bansVersion } = this.#context.memory;
    if (cached?.bansVersion === bansVersion) return cached.recipient;
    const record = decodeIdentityRecord(contact.identityRecord);
    const bundle = decodePrekeyBundle(contact.prekeyBundle);
    const device = record?.devices.find((one) => one.deviceId === bundle?.deviceId);
    if (record === undefined || bundle === undefined || device === undefined) return undefined;
    const all = record.relays.length > 0 ? record.relays : contact.relays;
    const relays = all.filter((hint) => !bannedRelays.has(hint.publicKey));
    const recipient: Recipient = { record, device, bundle, relays, isBarred: relays.length === 0 && all.length > 0 };
    this.#cache.set(contact, { recipient, bansVersion });
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
    const theirs = new Set([...(known?.relays ?? []), ...(contact?.relays ?? [])].map((hint) => hint.publicKey));
    const rounds = contact === undefined ? [] : this.#rounds(contact, known, theirs.size > 0);
    if (rounds.length === 0) { done({ ok: false, reason: 'no-relay-known' }, now); return; }
    const { bannedRelays } = this.#context.memory;
    const reason = theirs.size === 0 ? 'no-relay-known' : [...theirs].every((relay) => bannedRelays.has(relay)) ? 'relay-banned' : 'relay-unreachable';
    const lookup: Lookup = { rounds, theirs, spent: new Set(), waiting: [done], outstanding: 0, reason, settled: false, kept: false };
    this.#lookups.set(publicKey, lookup);
    this.#nextRound(publicKey, lookup, now);
  }

  /** Their relays and ours, since both may be customers of one relay that has moved; then ours with their peers, then directory relays. */
  #rounds(contact: ContactRow, known: Recipient | undefined, areTheirsKnown: boolean): Round[] {
    const own = [...this.#context.memory.relays.values()].map(({ publicKey, host, port }) => ({ publicKey, host, port }));
    const first = new Map<string, RelayHint>();
    for (const hint of [...(known?.relays ?? []), ...contact.relays, ...own]) if (!first.has(hint.publicKey)) first.set(hint.publicKey, hint);
    const directories = this.#context.memory.settings.directoryRelays.map(parseRelayHint).filter((hint) => hint !== undefined);
    const all: Round[] = [
      ...(areTheirsKnown ? [{ hints: [...first.values()].slice(0, firstRoundMaximum), onward: false }] : []),
      { hints: own, onward: true }, { hints: directories, onward: true },
    ];
    return all.filter((round) => round.hints.length > 0);
  }

  #nextRound(publicKey: PublicKeyHex, lookup: Lookup, now: Instant): void {
    const round = lookup.rounds.shift();
    if (round === undefined) return;
    lookup.outstanding = round.hints.length;
    for (const hint of round.hints) this.#askOne(publicKey, hint, round.onward, lookup, now);
  }

  #askOne(publicKey: PublicKeyHex, hint: RelayHint, onward: boolean, lookup: Lookup, now: Instant): void {
    const finished = (at: Instant): void => {
      lookup.outstanding -= 1;
      if (lookup.outstanding === 0) this.#roundOver(publicKey, lookup, at);
    };
    const link = lookup.spent.has(hint.publicKey) ? undefined : this.#links.deposit(hint, now);
    if (link === undefined) { finished(now); return; }
    this.#links.whenUp(link, lookupDeadlineMs, now, (up, at) => {
      if (!up || link.sessionId === undefined) { lookup.spent.add(hint.publicKey); finished(at); return; }
      if (!answersResolve(this.#context, link.sessionId)) lookup.spent.add(hint.publicKey);
      askRelay(this.#context, link.sessionId, publicKey, onward, lookupDeadlineMs, at, (answer, then) => {
        const found = answer.kind === 'served' ? proveRecords(this.#context.crypto, publicKey, answer.resolved, this.known(publicKey)?.record) : undefined;
        if (answer.kind === 'silent') lookup.spent.add(hint.publicKey);
        // That our own relays have never heard of them says nothing; that theirs have not does.
        else if (found === undefined && lookup.theirs.has(hint.publicKey) && lookup.reason === 'relay-unreachable') lookup.reason = 'recipient-unknown';
        if (found !== undefined && found.bundle === undefined) lookup.reason = 'recipient-unprepared';
        if (found?.bundle === undefined) { finished(then); return; }
        lookup.kept = this.#keep(publicKey, found.record, found.bundle, then) || lookup.kept;
        // The first complete answer serves who waits; a later one with a higher sequence is kept all the same.
        this.#settle(publicKey, lookup, then);
        finished(then);
      });
    });
  }

  /** Nobody in this round has more to say. */
  #roundOver(publicKey: PublicKeyHex, lookup: Lookup, now: Instant): void {
    if (lookup.kept || lookup.rounds.length === 0) { this.#settle(publicKey, lookup, now, true); return; }
    if (this.known(publicKey) === undefined) { this.#nextRound(publicKey, lookup, now); return; }
    // What we had may still be right, and is used meanwhile.
    this.#settle(publicKey, lookup, now, true);
    const widenedMs = this.#widened.get(publicKey);
    if (widenedMs !== undefined && now.monotonicMs - widenedMs < widenAgainMs) return;
    this.#widened.set(publicKey, now.monotonicMs);
    this.#nextRound(publicKey, lookup, now);
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

  /** @param isOver nobody is to be waited for. */
  #settle(publicKey: PublicKeyHex, lookup: Lookup, now: Instant, isOver = false): void {
    if (lookup.settled || (!isOver && !lookup.kept)) return;
    lookup.settled = true;
    this.#lookups.delete(publicKey);
    // Nobody had anything newer, but what we had before may still be right: an old record beats not trying.
    const recipient = this.known(publicKey);
    const result: LookupResult = recipient !== undefined ? { ok: true, recipient } : { ok: false, reason: lookup.reason };
    for (const done of lookup.waiting) done(result, now);
  }
}
