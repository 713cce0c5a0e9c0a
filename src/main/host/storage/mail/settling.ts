/** How a letter ends: acknowledged by its owner, withdrawn by who holds the purge key, expired, or sealed to a revoked device. Its bytes go; what became of it stays. */
import type { MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import { sameBytes } from '../row.ts';
import type { Blobs } from './blobs.ts';
import type { Letters } from './letters.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { SeenLetters } from './seen.ts';
import type { Tokens } from './tokens.ts';

export class Settling {
  readonly #mailboxes: Mailboxes;
  readonly #letters: Letters;
  readonly #seen: SeenLetters;
  readonly #tokens: Tokens;
  readonly #blobs: Blobs;

  constructor(mailboxes: Mailboxes, letters: Letters, seen: SeenLetters, tokens: Tokens, blobs: Blobs) {
    this.#mailboxes = mailboxes;
    this.#letters = letters;
    this.#seen = seen;
    this.#tokens = tokens;
    this.#blobs = blobs;
  }

  /**
   * Returns how many letters changed. A letter that had expired or was withdrawn becomes acked all the same: its owner has it, and that
   * is what its sender wants to know. Acked never turns into anything else.
   */
  ack({ mailbox, elapsedMs, letters }: Extract<MailRequest, { op: 'ack' }>): MailResults['ack'] {
    const found = this.#mailboxes.find(mailbox);
    if (found === undefined) return { acked: 0 };
    let acked = 0;
    for (const { letterId, verdict } of letters) {
      const seen = this.#seen.find(found.id, letterId, elapsedMs);
      const state = verdict === 'committed' ? 'acked' : 'unopenable';
      if (seen === undefined || seen.state === state || seen.state === 'acked') continue;
      if (seen.isStored) this.#letters.remove(found.id, seen.sequence);
      this.#seen.set(found.id, letterId, state, elapsedMs);
      acked += 1;
    }
    return { acked };
  }

  /** With the wrong key nothing changes; the answer is the state in any case. */
  withdraw({ mailbox, letterId, purgeHash, elapsedMs }: Extract<MailRequest, { op: 'withdraw' }>): MailResults['withdraw'] {
    const found = this.#mailboxes.find(mailbox);
    const seen = found === undefined ? undefined : this.#seen.find(found.id, letterId, elapsedMs);
    if (found === undefined || seen === undefined) return { state: 'unknown' };
    if (seen.state !== 'held' && seen.state !== 'fetched') return { state: seen.state };
    const expected = this.#letters.purgeHash(found.id, seen.sequence);
    if (expected === undefined || !sameBytes(expected, purgeHash)) return { state: seen.state };
    this.#letters.remove(found.id, seen.sequence);
    this.#seen.set(found.id, letterId, 'withdrawn', elapsedMs);
    return { state: 'withdrawn' };
  }

  status({ mailbox, letterIds, elapsedMs }: Extract<MailRequest, { op: 'status' }>): MailResults['status'] {
    const found = this.#mailboxes.find(mailbox);
    return {
      states: letterIds.map((letterId) => {
        const seen = found === undefined ? undefined : this.#seen.find(found.id, letterId, elapsedMs);
        if (seen === undefined) return { state: 'unknown', secondsSince: 0 };
        return { state: seen.state, secondsSince: Math.max(0, Math.floor((elapsedMs - seen.sinceMs) / 1_000)) };
      }),
    };
  }

  expire({ elapsedMs, most }: Extract<MailRequest, { op: 'expire' }>): MailResults['expire'] {
    const due = this.#letters.expired(elapsedMs, most);
    for (const { mailboxId, letterId, sequence, expiresMs } of due) {
      this.#letters.remove(mailboxId, sequence);
      this.#seen.set(mailboxId, letterId, 'expired', expiresMs);
    }
    const moreSeen = this.#seen.sweep(elapsedMs, most);
    this.#mailboxes.sweepEnded();
    return { expired: due.length, more: moreSeen || (due.length >= most && this.#letters.expired(elapsedMs, 1).length > 0) };
  }

  /** Their letters are sealed to a device that is no more: `unopenable` tells the senders to seal again. */
  revokeDevice({ identity, keepDeviceIds, elapsedMs }: Extract<MailRequest, { op: 'revoke-device' }>): MailResults['revoke-device'] {
    const ending = this.#mailboxes.othersOf(identity, keepDeviceIds);
    let count = 0;
    for (const mailboxId of ending) {
      for (const { letterId, sequence, expiresMs } of this.#letters.ofMailbox(mailboxId)) {
        this.#letters.remove(mailboxId, sequence);
        const isExpired = expiresMs <= elapsedMs;
        this.#seen.set(mailboxId, letterId, isExpired ? 'expired' : 'unopenable', isExpired ? expiresMs : elapsedMs);
        if (!isExpired) count += 1;
      }
      this.#tokens.removeAll(mailboxId);
      this.#blobs.giveUp(mailboxId);
      this.#mailboxes.end(mailboxId);
    }
    return { mailboxes: ending.length, letters: count };
  }
}
