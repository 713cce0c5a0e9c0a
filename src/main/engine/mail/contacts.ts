/**
 * Who we know, and how we come to know them. A link makes somebody `pending`; their introduction, or any letter from them, a
 * `contact`. A stranger's letters wait as a `request` until accepted; strangers get neither receipts nor our relays. An introduction that shows
 * the token of one of our own invite links was invited: its writer becomes a contact at once. Each contact has a
 * deposit token of their own at our relays, and blocking them revokes it.
 */
import { decodeContent, encodeContent } from '../wire/content.ts';
import { toHex } from '../wire/bytes.ts';
import { ttlMaximumSeconds } from '../../../shared/views.ts';
import { chatPort, conversationIdOf } from './conversation-id.ts';
import type { Content, Instant, Invite } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Outbox } from './outbox.ts';
import type { OwnRecords } from './own-records.ts';
import type { DepositTokens } from './tokens.ts';
import type { ContactRow, OutboxRow, VisorChange } from './visor-store.ts';

/** The number of the last introduction written. */
const sequenceKey = 'introduction-sequence';

type Introduction = Extract<Content, { kind: 'introduction' }>;
/** Requests kept from strangers; beyond it the letters are still acknowledged, and counted. */
export const contactsMaximum = 10_000;

/** Which introduction of somebody's is the newer: rising per device of the sender. */
export interface IntroductionOrder { readonly device: string; readonly sequence: number }

export interface ContactEvents {
  /** A deposit token was granted or revoked: own relays are to be told. */
  tokenChanged(token: Uint8Array, granted: boolean, now: Instant): void;
}

export class Contacts {
  readonly #context: VisorContext;
  readonly #records: OwnRecords;
  readonly #tokens: DepositTokens;
  readonly #outbox: () => Outbox;
  readonly #events: ContactEvents;

  constructor(context: VisorContext, records: OwnRecords, tokens: DepositTokens, outbox: () => Outbox, events: ContactEvents) {
    this.#context = context;
    this.#records = records;
    this.#tokens = tokens;
    this.#outbox = outbox;
    this.#events = events;
  }

  stranger(publicKey: string, now: Instant): ContactRow {
    return {
      publicKey, name: '', standing: 'request', grantedToken: undefined, depositToken: undefined, relays: [], identityRecord: undefined,
      prekeyBundle: undefined, recordsFetchedAtMs: 0, introducedCard: '', addedAtMs: now.wallMs,
    };
  }

  /** By a link or an address. `done` runs after the commit. */
  add(invite: Invite, as: string | undefined, now: Instant, done: (now: Instant) => void): void {
    const existing = this.#context.memory.contacts.get(invite.publicKey);
    const base = existing ?? this.stranger(invite.publicKey, now);
    const row: ContactRow = {
      ...base,
      name: as ?? (base.name !== '' ? base.name : invite.name),
      // Whoever we add is accepted by us; whether they have us shows when they write.
      standing: existing === undefined ? 'pending' : existing.standing === 'request' || existing.standing === 'blocked' ? 'contact' : existing.standing,
      grantedToken: base.grantedToken ?? this.#context.random(16),
      depositToken: invite.token ?? base.depositToken,
      relays: invite.relays.length > 0 ? invite.relays : base.relays,
      recordsFetchedAtMs: 0,
    };
    const port = invite.port === 0 ? chatPort : invite.port;
    this.#grant(row, base.grantedToken === undefined || base.standing === 'blocked', port, { answerWanted: true, inviteToken: invite.token }, now, (at) => {
      this.#outbox().kick(at, (one) => one.recipient === row.publicKey);
      done(at);
    });
  }

  /** A person accepts a request: their letters get receipts, and they learn where we are. */
  accept(contact: ContactRow, now: Instant, done: (now: Instant) => void): void {
    const row: ContactRow = { ...contact, standing: 'contact', grantedToken: contact.grantedToken ?? this.#context.random(16) };
    this.#grant(row, contact.grantedToken === undefined || contact.standing === 'blocked', chatPort, { answerWanted: contact.depositToken === undefined, inviteToken: undefined }, now, (at) => {
      this.#outbox().kick(at, (one) => one.recipient === row.publicKey);
      done(at);
    });
  }

  block(contact: ContactRow, done: (now: Instant) => void): void {
    const changes: VisorChange[] = [{ kind: 'put-contact', row: { ...contact, standing: 'blocked' } }];
    if (contact.grantedToken !== undefined) changes.push(this.#tokens.bumped());
    this.#context.commit(changes, {
      announce: this.#conversationsOf(contact.publicKey),
      done: (_applied, at) => {
        if (contact.grantedToken !== undefined) this.#events.tokenChanged(contact.grantedToken, false, at);
        done(at);
      },
    });
  }

  /** Our name or relays changed: everybody who knows us is told. */
  reintroduce(now: Instant): void {
    const card = this.#records.card();
    for (const contact of this.#context.memory.contacts.values()) {
      if (contact.introducedCard === card || contact.introducedCard === '' || (contact.standing !== 'contact' && contact.standing !== 'pending')) continue;
      this.#grant(contact, false, chatPort, { answerWanted: false, inviteToken: undefined }, now, () => undefined);
    }
  }

  /** They have a new device, which has neither our name and relays nor a token for us. */
  introduceAgain(publicKey: string, now: Instant): void {
    const contact = this.#context.memory.contacts.get(publicKey);
    if (contact?.standing === 'contact' || contact?.standing === 'pending') this.#grant(contact, false, chatPort, { answerWanted: true, inviteToken: undefined }, now, () => undefined);
  }

  introduced(sender: string, content: Introduction, order: IntroductionOrder, contact: ContactRow | undefined, now: Instant):
  { readonly changes: readonly VisorChange[]; readonly row: ContactRow; readonly after: (now: Instant) => void } {
    const base = contact ?? this.stranger(sender, now);
    // An older introduction that comes late, or twice by two relays, must not undo what a newer one said; the invite that it shows and the answer
    // that it asks for are good all the same. A device counts its own; another device of
    // theirs begins anew, and letters of one that was replaced are not opened.
    const key = `introduced/${sender}`;
    const [device, last] = (this.#context.memory.values.get(key) ?? '').split(' ');
    const isOlder = device === order.device && order.sequence < Number(last);
    const invited = content.inviteToken !== undefined && this.#context.memory.invites.get(toHex(content.inviteToken))?.revoked === false;
    const standing = base.standing === 'pending' || (base.standing === 'request' && invited) ? 'contact' : base.standing;
    const row: ContactRow = isOlder ? { ...base, standing } : {
      ...base, standing,
      name: base.name !== '' ? base.name : content.name,
      depositToken: content.token,
      relays: content.relays.length > 0 ? content.relays : base.relays,
      recordsFetchedAtMs: 0,
    };
    return {
      changes: [{ kind: 'put-contact', row }, ...(isOlder ? [] : [{ kind: 'put-value', key, value: `${order.device} ${String(order.sequence)}` } as const])],
      row,
      after: (at) => {
        const current = this.#context.memory.contacts.get(sender);
        if (current?.standing !== 'contact') return;
        const fresh = current.grantedToken === undefined;
        if (!fresh && !content.answerWanted) { this.#outbox().kick(at, (one) => one.recipient === sender); return; }
        this.#grant({ ...current, grantedToken: current.grantedToken ?? this.#context.random(16) }, fresh, chatPort, { answerWanted: false, inviteToken: undefined }, at, (then) => {
          this.#outbox().kick(then, (one) => one.recipient === sender);
        });
      },
    };
  }

  /** Writes the contact together with the introduction that we owe it, tells the relays of a new token, and sends. */
  #grant(row: ContactRow, tokenIsNew: boolean, port: number, options: { readonly answerWanted: boolean; readonly inviteToken: Uint8Array | undefined }, now: Instant, done: (now: Instant) => void): void {
    const granted = row.grantedToken;
    if (granted === undefined) return;
    const introduced: ContactRow = { ...row, introducedCard: this.#records.card() };
    // Rises even when our clock was set back: otherwise everybody would take what is new for old.
    const sequence = Math.max(now.wallMs, this.#context.memory.numberValue(sequenceKey) + 1);
    const letter: OutboxRow = {
      id: toHex(this.#context.random(16)), recipient: row.publicKey, destinationPort: port, sourcePort: port, kind: 'introduction', sequence,
      content: encodeContent({
        kind: 'introduction', answerWanted: options.answerWanted, token: granted, inviteToken: options.inviteToken,
        name: this.#context.memory.values.get('name') ?? '', relays: this.#records.advertisedRelays(),
      }),
      queuedAtMs: now.wallMs, ttlSeconds: ttlMaximumSeconds, expiresAtMs: this.#context.correctedWallMs(now) + ttlMaximumSeconds * 1000,
      attempts: 0, lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
    };
    const conversationId = conversationIdOf(row.publicKey, port);
    const changes: VisorChange[] = [{ kind: 'put-contact', row: introduced }, ...this.#superseded(letter), { kind: 'put-outbox', row: letter }, { kind: 'put-value', key: sequenceKey, value: String(sequence) }];
    if (!this.#context.memory.conversations.has(conversationId)) {
      changes.push({ kind: 'put-conversation', row: { id: conversationId, publicKey: row.publicKey, port, nextSequence: 1, readUpToRow: 0, draft: '', lastActivityMs: now.wallMs } });
    }
    if (tokenIsNew) changes.push(this.#tokens.bumped());
    this.#context.commit(changes, {
      announce: [...this.#conversationsOf(row.publicKey), { kind: 'conversation', conversationId }],
      done: (_applied, at) => {
        if (tokenIsNew) this.#events.tokenChanged(granted, true, at);
        this.#outbox().adopt(letter, at);
        done(at);
      },
    });
  }

  /**
   * Introductions to the same person that wait still: the newer says all that they say. Not those that ask for an answer or show an
   * invite token unless the new one does too.
   */
  #superseded(letter: OutboxRow): readonly VisorChange[] {
    const next = decodeContent(letter.content);
    if (next?.kind !== 'introduction') return [];
    return [...this.#context.memory.outbox.values()].flatMap((row): readonly VisorChange[] => {
      if (row.kind !== 'introduction' || row.recipient !== letter.recipient || row.stage !== 'deposit' || (row.facts.held ?? []).length > 0) return [];
      const content = decodeContent(row.content);
      if (content?.kind !== 'introduction' || (content.answerWanted && !next.answerWanted) || (content.inviteToken !== undefined && next.inviteToken === undefined)) return [];
      this.#outbox().superseded(row);
      return [{ kind: 'delete-outbox', id: row.id }];
    });
  }

  #conversationsOf(publicKey: string): { readonly kind: 'conversation'; readonly conversationId: string }[] {
    return [...this.#context.memory.conversations.values()].filter((row) => row.publicKey === publicKey).map((row) => ({ kind: 'conversation', conversationId: row.id }));
  }
}
