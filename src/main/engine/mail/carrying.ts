/**
 * Carrying for friends, the helper's side: each accepted contact is told by a sealed letter where the relay of this Waypost is, and how much of their mail it holds; strangers are told nothing, and
 * it is in no public record. The relay itself is an engine of its own beside this one (host/friend-carrier.ts); this file knows whom it is offered to, and keeps them informed: when it moves, when it ends, and
 * every few days, since what is not renewed ends by itself.
 *
 * What was told to whom is kept in one small value, so that a restart tells nobody twice and a change made while Waypost was off is told at the next start. A letter that waits still when there is something
 * newer to say is taken back.
 */
import { encodeContent } from '../wire/content.ts';
import { formatRelayHint } from '../wire/relay-hint.ts';
import { isPublicKeyHex } from '../wire/identity.ts';
import { toHex } from '../wire/bytes.ts';
import { chatPort } from './conversation-id.ts';
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxRow, VisorChange } from './visor-store.ts';

const toldKey = 'carry-told';
/** The number of the last offer written. */
const sequenceKey = 'carry-sequence';
/** Friends that one computer carries for; with the quota of each that bounds what they may fill. */
export const membersMaximum = 64;
/** An offer that is not renewed ends then: a friend who is gone for good is not dialled for ever. */
export const leaseSeconds = 7 * 86_400;
const renewAfterMs = 3 * 86_400_000;

/** What is offered: where, and how much mail is held for each. */
export interface CarryOffer {
  readonly hint: RelayHint;
  readonly quotaBytes: number;
}

interface Told { readonly card: string; readonly atMs: number }

export class Carrying {
  readonly #context: VisorContext;
  readonly #outbox: () => Outbox;
  #offer: CarryOffer | undefined;
  /** Before the host has said whether there is a relay, nobody is told that there is none. */
  #isKnown = false;

  constructor(context: VisorContext, outbox: () => Outbox) {
    this.#context = context;
    this.#outbox = outbox;
  }

  get offer(): CarryOffer | undefined { return this.#offer; }

  /** For whom mail is held: contacts that were accepted, those known longest first. */
  members(): readonly PublicKeyHex[] {
    return [...this.#context.memory.contacts.values()].filter(({ standing }) => standing === 'contact')
      .sort((one, other) => one.addedAtMs - other.addedAtMs || (one.publicKey < other.publicKey ? -1 : 1)).slice(0, membersMaximum).map(({ publicKey }) => publicKey);
  }

  /** The host's word: the relay is there and can be reached, or (undefined) is not. Without the person's consent there is none, and somebody who hides their address tells none. */
  say(offer: CarryOffer | undefined, now: Instant): void {
    this.#isKnown = true;
    this.#offer = offer;
    this.sync(now);
  }

  /** Tells those who have not heard the latest. */
  sync(now: Instant): void {
    if (!this.#isKnown) return;
    const { memory } = this.#context;
    const isMeant = memory.settings.carryForFriends && !memory.settings.hideAddress && memory.values.get('revoked') !== 'true';
    const offer = isMeant ? this.#offer : undefined;
    const told = readTold(memory.values.get(toldKey));
    const members = new Set(offer === undefined ? [] : this.members());
    const card = offer === undefined ? '' : `${formatRelayHint(offer.hint)} ${String(offer.quotaBytes)}`;
    const changes: VisorChange[] = [];
    const letters: OutboxRow[] = [];
    for (const member of members) {
      const last = told.get(member);
      if (last?.card === card && Math.abs(now.wallMs - last.atMs) < renewAfterMs) continue;
      told.set(member, { card, atMs: Math.round(now.wallMs) });
      letters.push(this.#letter(member, offer, letters.length, now));
    }
    for (const former of [...told.keys()]) {
      if (members.has(former)) continue;
      told.delete(former);
      // Somebody who was blocked is told nothing; what they were offered refuses them.
      const standing = memory.contacts.get(former)?.standing;
      if (standing === 'contact') letters.push(this.#letter(former, undefined, letters.length, now));
      else changes.push(...this.#takenBack(former));
    }
    if (letters.length === 0 && changes.length === 0) return;
    for (const letter of letters) changes.push(...this.#takenBack(letter.recipient), { kind: 'put-outbox', row: letter });
    changes.push({ kind: 'put-value', key: toldKey, value: writeTold(told) });
    const [last] = letters.slice(-1);
    if (last !== undefined) changes.push({ kind: 'put-value', key: sequenceKey, value: String(last.sequence) });
    this.#context.commit(changes, { done: (_applied, at) => { for (const letter of letters) this.#outbox().adopt(letter, at); } });
  }

  #letter(recipient: PublicKeyHex, offer: CarryOffer | undefined, index: number, now: Instant): OutboxRow {
    // Rises even when our clock was set back: otherwise everybody would take what is new for old.
    const sequence = Math.max(Math.round(now.wallMs), this.#context.memory.numberValue(sequenceKey) + 1) + index;
    return {
      id: toHex(this.#context.random(16)), recipient, destinationPort: chatPort, sourcePort: chatPort, kind: 'carry', sequence,
      content: encodeContent({ kind: 'carry', offer: offer === undefined ? undefined : { hint: offer.hint, quotaBytes: offer.quotaBytes, leaseSeconds } }),
      queuedAtMs: now.wallMs, ttlSeconds: leaseSeconds, expiresAtMs: this.#context.correctedWallMs(now) + leaseSeconds * 1_000,
      attempts: 0, lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
    };
  }

  /** Offers to them that wait still. */
  #takenBack(recipient: PublicKeyHex): readonly VisorChange[] {
    return [...this.#context.memory.outbox.values()].flatMap((row): readonly VisorChange[] => {
      if (row.kind !== 'carry' || row.recipient !== recipient) return [];
      this.#outbox().superseded(row);
      return [{ kind: 'delete-outbox', id: row.id }];
    });
  }
}

const writeTold = (told: ReadonlyMap<PublicKeyHex, Told>): string => JSON.stringify([...told].map(([publicKey, { card, atMs }]) => [publicKey, card, atMs]));

/** What is damaged is left out: those people are told once more. */
function readTold(text: string | undefined): Map<PublicKeyHex, Told> {
  const read = new Map<PublicKeyHex, Told>();
  let parsed: unknown;
  try { parsed = JSON.parse(text ?? '[]'); } catch { return read; }
  if (!Array.isArray(parsed)) return read;
  for (const entry of parsed.slice(0, membersMaximum * 2) as unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [publicKey, card, atMs] = entry as unknown[];
    if (typeof publicKey === 'string' && isPublicKeyHex(publicKey) && typeof card === 'string' && typeof atMs === 'number' && Number.isFinite(atMs)) read.set(publicKey, { card, atMs });
  }
  return read;
}
