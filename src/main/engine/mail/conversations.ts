/**
 * The rules of what an opened letter means: a message to show, a receipt for one of ours, an introduction that makes somebody a contact.
 * Each rule answers with the rows to commit together with the letter's dedupe row, and what to do once that is durable.
 */
import { toHex } from '../wire/bytes.ts';
import { conversationIdOf } from './conversation-id.ts';
import { mergeFacts } from './facts.ts';
import { maskMessageId } from './message-mask.ts';
import type { Content, Instant, LetterHeader, ReceiptItem } from '../wire/types.ts';
import type { EngineChange } from '../engine-types.ts';
import type { VisorContext } from '../visor-context.ts';
import { contactsMaximum, type Contacts } from './contacts.ts';
import type { FriendRelays } from './friend-relays.ts';
import type { Effects } from './letter-taker.ts';
import { receivedRoute, type LetterWay } from './letter-way.ts';
import type { Files } from '../files/files.ts';
import type { Outbox } from './outbox.ts';
import type { Receipts } from './receipts.ts';
import type { ContactRow, ConversationRow, HopRow, LetterFacts, MessageRow, VisorChange } from './visor-store.ts';

const nothing: Effects = { changes: [], announce: [], after: (_applied, _now, settled) => { settled(); } };

export class Conversations {
  readonly #context: VisorContext;
  readonly #contacts: Contacts;
  readonly #outbox: () => Outbox;
  readonly #receipts: Receipts;
  readonly #files: () => Files;
  readonly #friends: FriendRelays;
  /** Facts of messages whose outbox row has gone, one update at a time per message. */
  readonly #updating = new Map<string, (() => void)[]>();

  constructor(context: VisorContext, contacts: Contacts, receipts: Receipts, outbox: () => Outbox, files: () => Files, friends: FriendRelays) {
    this.#friends = friends;
    this.#context = context;
    this.#contacts = contacts;
    this.#receipts = receipts;
    this.#outbox = outbox;
    this.#files = files;
  }

  /** Undefined for a letter that is dropped: its sender is blocked, or there are too many strangers. */
  effects(header: LetterHeader, content: Content, way: LetterWay, now: Instant): Effects | undefined {
    const sender = header.certificate.identity;
    if (sender === this.#context.publicKey) return undefined;
    const contact = this.#context.memory.contacts.get(sender);
    if (contact?.standing === 'blocked') return undefined;
    const addsContact = contact === undefined && (content.kind === 'text' || content.kind === 'file' || content.kind === 'introduction');
    if (addsContact && this.#context.memory.contacts.size >= contactsMaximum) { this.#context.count('inbox.too-many-strangers'); return undefined; }
    switch (content.kind) {
      case 'text': return this.#message(header, content.text, undefined, contact, way, now);
      case 'file': return this.#message(header, content.text, content, contact, way, now);
      case 'fetched': {
        const fetched = this.#files().fetched(sender, content.items);
        return { ...nothing, changes: fetched.changes, announce: fetched.announce, after: (applied, at, settled) => { if (applied) fetched.after(at); settled(); } };
      }
      case 'taken-back': {
        const ended = this.#files().takenBack(sender, content.items, contact?.standing === 'contact' || contact?.standing === 'pending');
        return { ...nothing, changes: ended.changes, announce: ended.announce, after: (applied, at, settled) => { if (applied) ended.after(at); settled(); } };
      }
      case 'delivered': return this.#receipt(sender, content.items, 'delivered', now);
      case 'read': return this.#receipt(sender, content.items, 'read', now);
      case 'introduction': return this.#introduction(header, content, contact, way, now);
      case 'carry': {
        const offered = this.#friends.offered(sender, content, { device: header.certificate.deviceId, sequence: header.sequence }, now);
        return { ...nothing, changes: offered.changes, after: (applied, at, settled) => { if (applied) offered.after(at); settled(); } };
      }
      case 'resume': return { ...nothing, after: (_applied, at, settled) => { this.#outbox().kick(at, (row) => row.recipient === sender); settled(); } };
    }
  }

  #message(header: LetterHeader, text: string, file: Extract<Content, { kind: 'file' }> | undefined, contact: ContactRow | undefined, way: LetterWay, now: Instant): Effects | undefined {
    const sender = header.certificate.identity;
    const conversationId = conversationIdOf(sender, header.destinationPort);
    const id = toHex(maskMessageId(this.#context, sender, header.messageId));
    const changes: VisorChange[] = [];
    const announce: EngineChange[] = [];
    const known = contact ?? this.#contacts.stranger(sender, now);
    // Only somebody we added, or accepted, knows where to write to; a letter from one we added shows that they have us too.
    const standing = known.standing === 'pending' ? 'contact' : known.standing;
    if (contact === undefined || standing !== known.standing) changes.push({ kind: 'put-contact', row: { ...known, standing } });
    changes.push({ kind: 'put-conversation', row: { ...this.conversation(sender, header.destinationPort, now), lastActivityMs: now.wallMs } });
    const hop: HopRow = { kind: 'received', atMs: now.wallMs, ...receivedRoute(way) };
    const message: MessageRow = {
      id, conversationId, direction: 'in', text, sentAtMs: header.sentAtMs, receivedAtMs: now.wallMs, expiresAtMs: header.sentAtMs + header.ttlSeconds * 1000,
      senderDevice: header.certificate.deviceId, sequence: header.sequence, facts: {},
    };
    const fileRow = file === undefined ? undefined : this.#files().incomingRow(message, file, standing);
    changes.push({ kind: 'put-message', row: message }, { kind: 'add-hop', messageId: id, hop });
    if (fileRow !== undefined) changes.push({ kind: 'put-file', row: fileRow });
    announce.push({ kind: 'conversation', conversationId }, { kind: 'message', messageId: id, conversationId });
    const item: ReceiptItem = { messageId: header.messageId.slice(), atMs: now.wallMs };
    const receipt = this.#receipts.promise('delivered', sender, header.destinationPort, item, now, way.kind === 'relay');
    changes.push({ kind: 'put-outbox', row: receipt });
    return {
      changes, announce,
      after: (applied, at, settled) => {
        if (applied && fileRow !== undefined) this.#files().adopt(fileRow, at);
        const promised = { row: receipt, isKept: applied };
        if (way.kind === 'relay') this.#receipts.owe('delivered', sender, header.destinationPort, item, settled, promised);
        else { this.#receipts.keepBack(way.sessionId, item, promised, at); settled(); }
      },
    };
  }

  /** The facts are sent to the store before the dedupe row of the receipt, so that both share a commit and no crash leaves only the latter. */
  #receipt(sender: string, items: readonly ReceiptItem[], kind: 'delivered' | 'read', now: Instant): Effects {
    let open = items.length + 1;
    let allSettled = (): void => undefined;
    const one = (): void => { open -= 1; if (open === 0) allSettled(); };
    for (const item of items) this.#confirm(sender, toHex(item.messageId), kind, item.atMs, now, one);
    return { changes: [], announce: [], after: (_applied, _at, settled) => { allSettled = settled; one(); } };
  }

  #confirm(sender: string, id: string, kind: 'delivered' | 'read', theirTimeMs: number, now: Instant, done: () => void): void {
    // Their clock may be wrong; what we show never lies in our future.
    const atMs = Math.min(theirTimeMs, now.wallMs);
    const news: LetterFacts = kind === 'read' ? { deliveredAtMs: atMs, readAtMs: atMs } : { deliveredAtMs: atMs };
    const hop: HopRow = { kind, atMs };
    if (this.#outbox().confirm(id, sender, news, [hop], now, done)) return;
    this.#updateFacts(id, sender, news, hop, done);
  }

  /** They have told us themselves that they have it, when we waited for that no longer. */
  deliveredLate(id: string, sender: string, hop: HopRow): void {
    this.#updateFacts(id, sender, { deliveredAtMs: hop.atMs }, hop, () => undefined);
  }

  #updateFacts(id: string, sender: string, news: LetterFacts, hop: HopRow, done: () => void): void {
    const waiting = this.#updating.get(id);
    if (waiting !== undefined) { waiting.push(() => { this.#updateFacts(id, sender, news, hop, done); }); return; }
    this.#updating.set(id, []);
    const finished = (): void => {
      const rest = this.#updating.get(id) ?? [];
      this.#updating.delete(id);
      done();
      for (const next of rest) next();
    };
    this.#context.facts(id, (result) => {
      if (result.facts === undefined || result.direction !== 'out' || !result.conversationId.startsWith(`${sender}:`)) { finished(); return; }
      const facts = mergeFacts(result.facts, news);
      const isNews = JSON.stringify(facts) !== JSON.stringify(result.facts);
      if (!isNews) { finished(); return; }
      // Said once: a second word about it, by another way, may come from a clock that is behind.
      const isFirst = hop.kind === 'read' ? result.facts.readAtMs === undefined : result.facts.deliveredAtMs === undefined;
      this.#context.commit([{ kind: 'set-facts', messageId: id, facts }, ...(isFirst ? [{ kind: 'add-hop', messageId: id, hop } as const] : [])], {
        announce: [{ kind: 'message', messageId: id, conversationId: result.conversationId }],
        done: () => { finished(); },
      });
    });
  }

  #introduction(header: LetterHeader, content: Extract<Content, { kind: 'introduction' }>, contact: ContactRow | undefined, way: LetterWay, now: Instant): Effects {
    const sender = header.certificate.identity;
    const result = this.#contacts.introduced(sender, content, { device: header.certificate.deviceId, sequence: header.sequence }, contact, now);
    return {
      changes: [...result.changes, ...(result.row.standing === 'request' ? [] : [{ kind: 'put-conversation', row: this.conversation(sender, header.destinationPort, now) } as const])],
      announce: [{ kind: 'conversation', conversationId: conversationIdOf(sender, header.destinationPort) }],
      after: (applied, at, settled) => {
        if (applied) result.after(at);
        // In a session the answer is the receipt; when that is lost the letter comes again.
        if (way.kind === 'peer') settled();
        else this.#receipts.owe('delivered', sender, header.destinationPort, { messageId: header.messageId, atMs: at.wallMs }, settled);
      },
    };
  }

  conversation(publicKey: string, port: number, now: Instant): ConversationRow {
    const id = conversationIdOf(publicKey, port);
    return this.#context.memory.conversations.get(id) ?? { id, publicKey, port, nextSequence: 1, readUpToRow: 0, draft: '', lastActivityMs: now.wallMs };
  }
}
