/**
 * Friends who carry for us. Somebody who is accepted, and can be reached from outside, may offer by a sealed letter that their Waypost carries our packets and holds our mail
 * (carrying.ts is their side of it). What they offer is a relay like another, so it is used like one: it has a row of role `friend` among our relays, keeps a mailbox of ours, gives
 * receipts, makes circuits, and is tested. Three things are different. It is told to nobody, for its address belongs to the friend. It is believed in nothing that concerns all of
 * our mail: neither what time it is nor whether the network works. And it is a second choice, since a friend's computer is more often off than a relay.
 *
 * WHO WRITES THERE. Whoever was offered the same relay, and knows us, finds us there without being told: a relay of a friend of both keeps a mailbox for each of them. Where it keeps none, it says so,
 * and is not asked again for a while.
 *
 * WHAT A FRIEND MAY NOT DO WITH IT. One offer of each contact is remembered and eight are used, so nobody fills the list. What is offered may be false: few that have never answered are used at
 * once, and of several who offer the same relay it is theirs whose place answers (offer-trials.ts). An offer ends by itself unless it is renewed, by a letter or by the relay being there. What an
 * older letter says never undoes what a newer one said.
 */
import { formatRelayHint, parseRelayHint } from '../wire/relay-hint.ts';
import { isPublicKeyHex } from '../wire/identity.ts';
import { hostToBytes } from '../wire/socket-address.ts';
import type { EngineChange } from '../engine-types.ts';
import type { Content, Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import { OfferTrials } from './offer-trials.ts';
import type { IntroductionOrder } from './contacts.ts';
import type { RelayRow, VisorChange } from './visor-store.ts';

const valueKey = 'friend-relays';
/** Offers remembered; of more, the one that ends first is forgotten. */
const offersMaximum = 64;
/** Longer than that nobody promises. */
export const leaseMaximumSeconds = 14 * 86_400;
/** Written anew when so much is gained by it. */
const renewedByMs = 6 * 3_600_000;
/** An offer whose end has passed is kept so long still: the machine may have slept, and the relay be there. */
const graceMs = 50 * 60_000;
/** Where somebody has no mailbox they may have one soon: friends come one after the other. */
const absentForMs = 30 * 60_000;
const absentMaximum = 1_024;

export type CarryContent = Extract<Content, { kind: 'carry' }>;

interface FriendOffer {
  readonly contact: PublicKeyHex;
  readonly device: string;
  readonly sequence: number;
  /** Undefined: withdrawn. */
  readonly hint: RelayHint | undefined;
  readonly quotaBytes: number;
  readonly leaseSeconds: number;
  readonly untilMs: number;
  readonly sinceMs: number;
  /** The person removed it by hand. */
  readonly isDeclined: boolean;
  /** Somebody with that key has answered at that place. */
  readonly hasAnswered: boolean;
}

type StandingOffer = FriendOffer & { readonly hint: RelayHint };

/** For those who write to somebody: where else their mail may go. */
export interface FriendHolders {
  /** Relays of friends of ours where that person may have a mailbox, and that are there now. */
  of(publicKey: PublicKeyHex, now: Instant): readonly RelayHint[];
  /** All of them, also those that are not there. */
  readonly all: readonly RelayHint[];
  /** That relay keeps no mail for them. */
  hasNone(publicKey: PublicKeyHex, relay: PublicKeyHex, now: Instant): void;
}

export const noFriendHolders: FriendHolders = { of: () => [], all: [], hasNone: () => undefined };

export interface FriendRelaysEvents {
  isRegistered(relay: PublicKeyHex): boolean;
  isConnected(relay: PublicKeyHex): boolean;
  /** What to commit so that it is drained still, and told nothing new. */
  removal(row: RelayRow, now: Instant): readonly VisorChange[];
  /** The set of relays is another one now. */
  changed(now: Instant): void;
  isRevoked(): boolean;
}

export class FriendRelays implements FriendHolders {
  readonly #context: VisorContext;
  readonly #events: FriendRelaysEvents;
  readonly #offers: Map<PublicKeyHex, FriendOffer>;
  /** `PERSON RELAY` and the monotonic time until which they are not asked about; oldest first. */
  readonly #absent = new Map<string, number>();

  /** Monotonic time since when the end of somebody's offer has passed. */
  readonly #overdue = new Map<PublicKeyHex, number>();
  readonly #trials: OfferTrials<StandingOffer>;
  /** Monotonic ms when the next of those who wait has its turn. */
  #turnAtMs = Infinity;

  constructor(context: VisorContext, events: FriendRelaysEvents) {
    this.#context = context;
    this.#events = events;
    this.#offers = readOffers(context.memory.values.get(valueKey));
    this.#trials = new OfferTrials((relay) => events.isConnected(relay));
  }

  get all(): readonly RelayHint[] { return this.#rows().map(hintOf); }

  of(publicKey: PublicKeyHex, now: Instant): readonly RelayHint[] {
    return this.#rows().filter((row) => this.#events.isRegistered(row.publicKey) && (this.#absent.get(`${publicKey} ${row.publicKey}`) ?? 0) <= now.monotonicMs).map(hintOf);
  }

  hasNone(publicKey: PublicKeyHex, relay: PublicKeyHex, now: Instant): void {
    const key = `${publicKey} ${relay}`;
    this.#absent.delete(key);
    this.#absent.set(key, now.monotonicMs + absentForMs);
    const oldest = this.#absent.keys().next();
    if (this.#absent.size > absentMaximum && oldest.done !== true) this.#absent.delete(oldest.value);
  }

  /** A contact says that this relay is there, and nobody has ever answered there. What a name leads to is never known from before: it is theirs who named it. */
  isHearsay({ publicKey, host, port }: RelayHint): boolean {
    const isThis = ({ hint }: FriendOffer): boolean => hostToBytes(host) !== undefined && hint?.host === host && hint.port === port;
    return this.#context.memory.relays.get(publicKey)?.role === 'friend' && !this.#offersOf(publicKey).some((offer) => offer.hasAnswered && isThis(offer));
  }

  /** Whose it is. */
  carrierOf(relay: PublicKeyHex): PublicKeyHex | undefined { return this.#offerOf(relay)?.contact; }
  /** Bytes of mail that they hold for us. */
  quotaOf(relay: PublicKeyHex): number | undefined { return this.#offerOf(relay)?.quotaBytes; }

  /** Of several the one in use; before any is, one that has answered. */
  #offerOf(relay: PublicKeyHex): FriendOffer | undefined {
    const offers = this.#offersOf(relay);
    const inUse = this.#trials.inUse(relay);
    return offers.find(({ contact }) => contact === inUse) ?? offers.find(({ hasAnswered }) => hasAnswered) ?? offers[0];
  }

  #offersOf(relay: PublicKeyHex): readonly FriendOffer[] { return [...this.#offers.values()].filter(({ hint }) => hint?.publicKey === relay); }

  /** A contact has offered, or takes back what they offered. `after` runs after the commit. */
  offered(sender: PublicKeyHex, content: CarryContent, order: IntroductionOrder, now: Instant): { readonly changes: readonly VisorChange[]; readonly after: (now: Instant) => void } {
    const nothing = { changes: [], after: () => undefined };
    const before = this.#offers.get(sender);
    if (this.#context.memory.contacts.get(sender)?.standing !== 'contact') return nothing;
    if (before !== undefined && before.device === order.device && order.sequence <= before.sequence) return nothing;
    const { offer } = content;
    const hint = offer?.hint.publicKey === this.#context.publicKey ? undefined : offer?.hint;
    const isSamePlace = hint !== undefined && before?.hint !== undefined && formatRelayHint(hint) === formatRelayHint(before.hint);
    const isDeclined = hint !== undefined && this.#offersOf(hint.publicKey).some((other) => other.isDeclined);
    const leaseSeconds = Math.min(leaseMaximumSeconds, offer?.leaseSeconds ?? 0);
    const next: FriendOffer = {
      contact: sender, device: order.device, sequence: order.sequence, hint, quotaBytes: offer?.quotaBytes ?? 0, leaseSeconds,
      untilMs: now.wallMs + leaseSeconds * 1_000, sinceMs: before?.hint === undefined ? now.wallMs : before.sinceMs,
      isDeclined, hasAnswered: isSamePlace && before.hasAnswered,
    };
    // At once: the letters of several friends are read before the first of them is committed, and all of them are kept in one value.
    bounded(this.#offers.set(sender, next));
    return { changes: [{ kind: 'put-value', key: valueKey, value: writeOffers(this.#offers) }], after: (at) => { this.sync(at); } };
  }

  /** The person does not want this one: what to commit with its removal. */
  declined(relay: PublicKeyHex): readonly VisorChange[] { return this.#decide((offer) => offer.hint?.publicKey === relay, true); }
  /** The person wants friends' relays again: all of them. */
  welcomed(): readonly VisorChange[] { return this.#decide(({ isDeclined }) => isDeclined, false); }

  #decide(which: (offer: FriendOffer) => boolean, isDeclined: boolean): readonly VisorChange[] {
    for (const offer of [...this.#offers.values()]) if (which(offer)) this.#offers.set(offer.contact, { ...offer, isDeclined });
    return [{ kind: 'put-value', key: valueKey, value: writeOffers(this.#offers) }];
  }

  /** That relay is there: so is the offer. */
  isThere(relay: PublicKeyHex, now: Instant): void {
    const offer = this.#offerOf(relay);
    if (offer === undefined) return;
    const untilMs = now.wallMs + offer.leaseSeconds * 1_000;
    if (untilMs - offer.untilMs >= renewedByMs) this.#keep({ ...offer, untilMs });
  }

  /** Somebody has answered there and proved to have that key. */
  answered(hint: RelayHint, now: Instant): void {
    const offer = this.#offerOf(hint.publicKey);
    if (offer?.hint?.host !== hint.host || offer.hint.port !== hint.port || offer.hasAnswered) return;
    this.#keep({ ...offer, hasAnswered: true });
    // Others may be asked now.
    this.sync(now);
  }

  #keep(offer: FriendOffer): void {
    this.#offers.set(offer.contact, offer);
    this.#context.commit([{ kind: 'put-value', key: valueKey, value: writeOffers(this.#offers) }]);
  }

  handleTimeout(now: Instant): void {
    if (now.monotonicMs < this.#turnAtMs) return;
    this.#turnAtMs = Infinity;
    this.sync(now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined { return this.#turnAtMs === Infinity ? undefined : { atMs: this.#turnAtMs, reason: 'another offer to carry has its turn' }; }

  /** Makes the relays of role `friend` match what is offered and wanted; called whenever either may have changed, and now and then. */
  sync(now: Instant): void {
    if (this.#events.isRevoked()) return;
    const { memory } = this.#context;
    const wanted = this.#wanted(now);
    const changes: VisorChange[] = [];
    const announce: EngineChange[] = [];
    for (const row of memory.relays.values()) {
      if (row.role !== 'friend') continue;
      const hint = wanted.get(row.publicKey);
      if (hint !== undefined) {
        if (hint.host !== row.host || hint.port !== row.port || row.leavingSinceMs !== undefined) changes.push({ kind: 'put-relay', row: { ...row, host: hint.host, port: hint.port, leavingSinceMs: undefined } });
        continue;
      }
      // Ours to leave: what waits there is fetched still. Theirs to end, or not to be told where we are: it is over.
      const isLeft = this.#isHolding(row, now) && !memory.settings.hideAddress;
      if (isLeft && row.leavingSinceMs !== undefined) continue;
      changes.push(...(isLeft ? this.#events.removal(row, now) : [{ kind: 'delete-relay', publicKey: row.publicKey } as const]));
    }
    for (const hint of wanted.values()) {
      if (memory.relays.has(hint.publicKey) || memory.bannedRelays.has(hint.publicKey)) continue;
      changes.push({ kind: 'put-relay', row: { ...hint, role: 'friend', epoch: undefined, cursor: 0, addedAtMs: now.wallMs, leavingSinceMs: undefined, choice: 'normal', rank: undefined } });
    }
    if (changes.length === 0) return;
    this.#absent.clear();
    for (const change of changes) {
      if (change.kind === 'delete-relay') announce.push({ kind: 'relay-removed', publicKey: change.publicKey });
      else if (change.kind === 'put-relay') announce.push({ kind: 'relay', publicKey: change.row.publicKey });
    }
    this.#context.commit(changes, { announce: [...announce, { kind: 'connection' }], done: (_applied, at) => { this.#events.changed(at); } });
  }

  #rows(): readonly RelayRow[] { return [...this.#context.memory.relays.values()].filter((row) => row.role === 'friend' && row.leavingSinceMs === undefined); }

  #isStanding({ contact, hint, untilMs }: FriendOffer, now: Instant): boolean {
    if (hint === undefined || this.#context.memory.contacts.get(contact)?.standing !== 'contact') return false;
    if (untilMs > now.wallMs) { this.#overdue.delete(contact); return true; }
    const sinceMs = this.#overdue.get(contact) ?? now.monotonicMs;
    this.#overdue.set(contact, sinceMs);
    return this.#context.memory.relays.get(hint.publicKey)?.role === 'friend' && now.monotonicMs - sinceMs < graceMs;
  }

  /** Mail may wait there that we may fetch: we had a mailbox, and may have one still. */
  #isHolding({ publicKey, epoch }: RelayRow, now: Instant): boolean { return epoch !== undefined && this.#offersOf(publicKey).some((offer) => this.#isStanding(offer, now)); }

  /** The relay would see where we are, which is what somebody who hides it does not want friends to see. */
  #wanted(now: Instant): ReadonlyMap<PublicKeyHex, RelayHint> {
    const { useFriendsRelays, hideAddress } = this.#context.memory.settings;
    if (!useFriendsRelays || hideAddress) return new Map();
    const usable = [...this.#offers.values()].filter((offer): offer is StandingOffer => !offer.isDeclined && this.#isStanding(offer, now))
      .sort((one, other) => one.sinceMs - other.sinceMs || (one.contact < other.contact ? -1 : 1));
    const chosen = this.#trials.choose(usable, now);
    this.#turnAtMs = this.#trials.nextMs;
    return new Map([...chosen].map(([relay, { hint }]) => [relay, hint]));
  }
}

const hintOf = ({ publicKey, host, port }: RelayRow): RelayHint => ({ publicKey, host, port });

function bounded(offers: Map<PublicKeyHex, FriendOffer>): void {
  while (offers.size > offersMaximum) {
    const [first] = [...offers.values()].sort((one, other) => one.untilMs - other.untilMs);
    if (first === undefined) return;
    offers.delete(first.contact);
  }
}

/** Per contact: key, device, sequence, hint (empty: withdrawn), bytes, lease, end, beginning, declined, whether the place has answered. */
const writeOffers = (offers: ReadonlyMap<PublicKeyHex, FriendOffer>): string => JSON.stringify([...offers.values()].map(({ contact, device, sequence, hint, quotaBytes, leaseSeconds, untilMs, sinceMs, isDeclined, hasAnswered }) =>
  [contact, device, sequence, hint === undefined ? '' : formatRelayHint(hint), quotaBytes, leaseSeconds, untilMs, sinceMs, isDeclined, hasAnswered]));

/** What is damaged is left out: it is offered again within days. */
function readOffers(text: string | undefined): Map<PublicKeyHex, FriendOffer> {
  const read = new Map<PublicKeyHex, FriendOffer>();
  let parsed: unknown;
  try { parsed = JSON.parse(text ?? '[]'); } catch { return read; }
  if (!Array.isArray(parsed)) return read;
  for (const entry of parsed.slice(0, offersMaximum) as unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [contact, device, sequence, hintText, quotaBytes, leaseSeconds, untilMs, sinceMs, isDeclined, hasAnswered] = entry as unknown[];
    if (typeof contact !== 'string' || !isPublicKeyHex(contact) || typeof device !== 'string' || typeof hintText !== 'string') continue;
    if (!isCount(sequence) || !isCount(quotaBytes) || !isCount(leaseSeconds) || !isTime(untilMs) || !isTime(sinceMs)) continue;
    read.set(contact, { contact, device, sequence, hint: parseRelayHint(hintText), quotaBytes, leaseSeconds: Math.min(leaseSeconds, leaseMaximumSeconds), untilMs, sinceMs, isDeclined: isDeclined === true, hasAnswered: hasAnswered === true });
  }
  return read;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
