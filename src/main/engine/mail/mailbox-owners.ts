/**
 * Who may act for a mailbox: a session whose certificate is of its identity and device, as long as the newest identity record held here
 * (if there is one) still lists that device with that key. Also which live sessions have registered, for the doorbell.
 */
import { equalBytes } from '../wire/bytes.ts';
import { decodeIdentityRecord } from '../wire/record.ts';
import { mailboxKey } from '../wire/types.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { DeviceCertificate, IdentityRecord, Instant, Mailbox, PublicKeyHex } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';

/** Identities whose record (or lack of one) is remembered; the others are asked of the store again. */
const knownRecordsMaximum = 4_096;

export class MailboxOwners {
  readonly #context: MailboxContext;
  /** Least recently used first; undefined = the store has no record of that identity. */
  readonly #known = new Map<PublicKeyHex, IdentityRecord | undefined>();
  readonly #sessions = new Map<string, Set<SessionId>>();
  readonly #mailboxes = new Map<SessionId, Mailbox>();

  /** Undefined: everybody may. */
  #members: ReadonlySet<PublicKeyHex> | undefined;

  constructor(context: MailboxContext) {
    this.#context = context;
    const { registration } = context.environment.policy;
    this.#members = registration === 'open' ? undefined : new Set(registration.list);
  }

  /** Registrations of those who are on it no longer end here: no doorbell rings for them and no circuit is offered. Their mail waits until its time is over. */
  setMembers(members: readonly PublicKeyHex[]): void {
    if (this.#members === undefined) return;
    this.#members = new Set(members);
    for (const [sessionId, mailbox] of [...this.#mailboxes]) if (!this.admits(mailbox.identity)) this.sessionClosed(sessionId);
  }

  /** Whether the policy lets this identity have anything here. */
  admits(identity: PublicKeyHex): boolean { return this.#members?.has(identity) ?? true; }

  /** Runs `then` with the mailbox of the session, or refuses. */
  withOwner(sessionId: SessionId, answer: Answer, now: Instant, then: (mailbox: Mailbox, now: Instant) => void): void {
    const certificate = this.#context.environment.session(sessionId)?.remoteCertificate;
    if (certificate === undefined) { this.#context.refuse(answer, 'unauthenticated', now); return; }
    if (!this.admits(certificate.identity)) { this.#context.refuse(answer, 'refused', now); return; }
    this.withRecord(certificate.identity, now, (record, at) => {
      if (record !== undefined && !lists(record, certificate)) this.#context.refuse(answer, 'revoked', at);
      // Where each has room for so much, nobody has room for each device that they make up: a record lists three.
      else if (record === undefined && this.#members !== undefined) this.#context.refuse(answer, 'not-yet', at);
      else then({ identity: certificate.identity, deviceId: certificate.deviceId }, at);
    });
  }

  /** The newest identity record held here. */
  withRecord(identity: PublicKeyHex, now: Instant, then: (record: IdentityRecord | undefined, now: Instant) => void): void {
    if (this.#known.has(identity)) {
      const record = this.#known.get(identity);
      this.#remember(identity, record);
      then(record, now);
      return;
    }
    this.#context.store<'get-record'>({ op: 'get-record', kind: 'identity', identity, deviceId: '' }, (result, at) => {
      const record = result.bytes === undefined ? undefined : decodeIdentityRecord(result.bytes);
      if (result.bytes !== undefined && record === undefined) this.#context.environment.log('warn', 'mailbox.bad-record', { identity: identity.slice(0, 8) });
      // What was published while the store was reading is newer than what it read.
      if (!this.#known.has(identity)) this.#remember(identity, record);
      then(this.#known.get(identity), at);
    });
  }

  /** A record was stored. Registrations of devices that it does not list end, in the store and here. False when a newer one is known already. */
  recordStored(record: IdentityRecord): boolean {
    const known = this.#known.get(record.identity);
    if (known !== undefined && known.sequence > record.sequence) return false;
    this.#remember(record.identity, record);
    for (const [sessionId, mailbox] of this.#mailboxes) {
      if (mailbox.identity === record.identity && !record.devices.some((device) => device.deviceId === mailbox.deviceId)) this.sessionClosed(sessionId);
    }
    return true;
  }

  registered(sessionId: SessionId, mailbox: Mailbox): void {
    const before = this.#mailboxes.get(sessionId);
    // The same session by another certificate: what it registered before would never be taken out again.
    if (before !== undefined && mailboxKey(before) !== mailboxKey(mailbox)) this.sessionClosed(sessionId);
    this.#mailboxes.set(sessionId, mailbox);
    const key = mailboxKey(mailbox);
    const sessions = this.#sessions.get(key) ?? new Set<SessionId>();
    this.#sessions.set(key, sessions.add(sessionId));
  }

  /** The mailbox that this session has registered. */
  mailboxOf(sessionId: SessionId): Mailbox | undefined { return this.#mailboxes.get(sessionId); }

  sessionsOf(mailbox: Mailbox): readonly SessionId[] { return [...this.#sessions.get(mailboxKey(mailbox)) ?? []]; }

  sessionClosed(sessionId: SessionId): void {
    const mailbox = this.#mailboxes.get(sessionId);
    if (mailbox === undefined) return;
    this.#mailboxes.delete(sessionId);
    const key = mailboxKey(mailbox);
    const sessions = this.#sessions.get(key);
    sessions?.delete(sessionId);
    if (sessions?.size === 0) this.#sessions.delete(key);
  }

  #remember(identity: PublicKeyHex, record: IdentityRecord | undefined): void {
    this.#known.delete(identity);
    this.#known.set(identity, record);
    const oldest = this.#known.keys().next();
    if (this.#known.size > knownRecordsMaximum && oldest.done !== true) this.#known.delete(oldest.value);
  }
}

/** By key and not by bytes: a renewed certificate of the same device speaks for it as the old one does, until that expires. */
function lists(record: IdentityRecord, certificate: DeviceCertificate): boolean {
  return record.devices.some((device) => device.deviceId === certificate.deviceId && equalBytes(device.x25519, certificate.x25519));
}
