/**
 * Named records at a relay: kept for those who have a mailbox here, served to anybody until their end. Unlike other records nobody but their publisher may bring
 * them: they take room for each name, and whoever could bring old ones could fill the publisher's share with them.
 */
import { toHex } from '../wire/bytes.ts';
import { decodeNamedRecord, isNamedRecordOver, verifyNamedRecord } from '../wire/named-record.ts';
import { PrefixRate } from './mailbox-rate.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, NamedRecord, NegativeCode, PublicKeyHex } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';
import type { MailboxOwners } from './mailbox-owners.ts';

/** Of one identity; an attacker with many identities pays for each with a registration. */
export const namedRecordsMaximum = 1_024;
/** As of all records: one from further ahead could never be passed again by its honest owner (architecture 3). */
const sequenceAheadMaximumSeconds = 2 * 86_400;
/** Longest life of a record: a publisher that runs renews it daily, one that has gone is forgotten in a month. */
const lifetimeMaximumSeconds = 32 * 86_400;
/** Publications per address prefix: each costs milliseconds of a signature and a commit. A visor with more names waits and goes on. */
const perMinute = 240;
/** Records whose signatures were verified. */
const verifiedMaximum = 4_096;

export class MailboxNames {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #verified = new Set<string>();
  readonly #rate = new PrefixRate(perMinute);

  constructor(context: MailboxContext, owners: MailboxOwners) {
    this.#context = context;
    this.#owners = owners;
  }

  get(identity: PublicKeyHex, path: string, reply: (bytes: Uint8Array | undefined, now: Instant) => void): void {
    this.#context.store<'get-record'>({ op: 'get-record', kind: 'named', identity, deviceId: '', path }, ({ bytes }, at) => {
      const record = bytes === undefined ? undefined : decodeNamedRecord(bytes);
      reply(record === undefined || isNamedRecordOver(record, at.wallMs) ? undefined : record.bytes, at);
    });
  }

  put(sessionId: SessionId, bytes: Uint8Array, answer: Answer, now: Instant): void {
    const record = decodeNamedRecord(bytes);
    if (record === undefined) { this.#context.refuse(answer, 'malformed', now); return; }
    this.#owners.withOwner(sessionId, answer, now, (mailbox, at) => {
      const refusal = mailbox.identity !== record.identity ? 'refused' : this.#owners.mailboxOf(sessionId) === undefined ? 'no-mailbox' : untimely(record, at);
      if (refusal !== undefined) { this.#context.refuse(answer, refusal, at); return; }
      const waitSeconds = this.#rate.take(this.#context.environment.session(sessionId)?.address.host ?? '', at.monotonicMs);
      if (waitSeconds !== undefined) { this.#context.refuse(answer, 'busy', at, waitSeconds); return; }
      if (!this.#isVerified(record)) { this.#context.refuse(answer, 'malformed', at); return; }
      this.#store(record, answer);
    });
  }

  #store({ identity, path, sequence, notAfterSeconds, bytes }: NamedRecord, answer: Answer): void {
    this.#context.store<'put-record'>({ op: 'put-record', kind: 'named', identity, deviceId: '', path, sequence, notAfterSeconds, bytes, most: namedRecordsMaximum }, ({ outcome }, at) => {
      if (outcome === 'stale' || outcome === 'quota') this.#context.refuse(answer, outcome, at);
      else answer.respond(new Uint8Array(0), at);
    });
  }

  #isVerified(record: NamedRecord): boolean {
    const key = toHex(this.#context.environment.crypto.blake3(record.bytes));
    if (this.#verified.has(key)) return true;
    this.#context.counters.count('names-verified');
    if (!verifyNamedRecord(record)) return false;
    this.#verified.add(key);
    const oldest = this.#verified.keys().next();
    if (this.#verified.size > verifiedMaximum && oldest.done !== true) this.#verified.delete(oldest.value);
    return true;
  }
}

function untimely(record: NamedRecord, now: Instant): NegativeCode | undefined {
  const nowSeconds = Math.floor(now.wallMs / 1_000);
  if (isNamedRecordOver(record, now.wallMs)) return 'stale';
  return record.sequence > nowSeconds + sequenceAheadMaximumSeconds || record.notAfterSeconds > nowSeconds + lifetimeMaximumSeconds ? 'too-far-ahead' : undefined;
}
