/**
 * Deposit and its question beforehand. Order of the checks: the mailbox exists; the letter was seen before (answered as it stands, whatever
 * the token or quota say now); the token was not revoked; there is room. A refusal for quota is remembered with the token, also when
 * only asked, since a depositor that is refused then does not come again.
 */
import type { DepositArguments, DepositResult, MailResults } from '../../../engine/mail/mail-store.ts';
import type { Letters } from './letters.ts';
import type { Mailboxes, MailboxState, Pool } from './mailboxes.ts';
import { exceededQuota } from './quota.ts';
import type { Seen, SeenLetters } from './seen.ts';
import type { Token, Tokens } from './tokens.ts';

type Arguments = Omit<DepositArguments, 'body'>;
type Refusal = Extract<DepositResult, { outcome: 'duplicate' | 'quota' | 'no-mailbox' | 'token-revoked' }>;
type Admission =
  | { readonly refusal: Refusal }
  | { readonly refusal: undefined; readonly mailbox: MailboxState; readonly pool: Pool; readonly token: Token | undefined };

export class Deposits {
  readonly #mailboxes: Mailboxes;
  readonly #tokens: Tokens;
  readonly #seen: SeenLetters;
  readonly #letters: Letters;

  constructor(mailboxes: Mailboxes, tokens: Tokens, seen: SeenLetters, letters: Letters) {
    this.#mailboxes = mailboxes;
    this.#tokens = tokens;
    this.#seen = seen;
    this.#letters = letters;
  }

  check(letter: Arguments & { readonly bodyLength: number }): MailResults['check-deposit'] {
    return this.#admit(letter, letter.bodyLength).refusal ?? { outcome: 'would-store' };
  }

  deposit(letter: DepositArguments): DepositResult {
    const admission = this.#admit(letter, letter.body.length);
    if (admission.refusal !== undefined) return admission.refusal;
    const { mailbox, pool, token } = admission;
    this.#dropForgotten(mailbox.id, letter.letterId);
    const sequence = mailbox.highestSequence + 1;
    const expiresMs = letter.elapsedMs + letter.ttlSeconds * 1_000;
    this.#letters.add(letter, { mailboxId: mailbox.id, pool, tokenId: token?.id, sequence }, expiresMs);
    this.#seen.add(mailbox.id, letter.letterId, sequence, letter.elapsedMs, expiresMs);
    return { outcome: 'stored', sequence, remainingSeconds: letter.ttlSeconds, state: 'held', byStranger: pool === 'strangers' };
  }

  #admit(letter: Arguments, bodyLength: number): Admission {
    const mailbox = this.#mailboxes.find(letter.mailbox);
    if (mailbox === undefined) return { refusal: { outcome: 'no-mailbox' } };
    const seen = this.#seen.find(mailbox.id, letter.letterId, letter.elapsedMs);
    if (seen !== undefined) return { refusal: duplicate(seen, letter.elapsedMs) };
    if (mailbox.isEnded) return { refusal: { outcome: 'no-mailbox' } };
    const found = letter.tokenHash === undefined ? undefined : this.#tokens.find(mailbox.id, letter.tokenHash);
    if (found?.standing === 'revoked') return { refusal: { outcome: 'token-revoked' } };
    const token = found?.standing === 'granted' ? found : undefined;
    const pool = poolOf(letter, token);
    const scope = exceededQuota({
      quota: letter.quota, pool, waiting: mailbox.waiting, waitingUnderToken: token?.waiting ?? 0, sizeBytes: letter.header.length + bodyLength,
    });
    if (scope === undefined) return { refusal: undefined, mailbox, pool, token };
    if (token !== undefined) this.#tokens.setRefused(token);
    return { refusal: { outcome: 'quota', scope } };
  }

  /** A row whose day is over but which the sweep has not reached must not stand in the way of the same letter. */
  #dropForgotten(mailboxId: number, letterId: Uint8Array): void {
    const sequence = this.#seen.sequenceOfForgotten(mailboxId, letterId);
    if (sequence === undefined) return;
    this.#letters.remove(mailboxId, sequence);
    this.#seen.remove(mailboxId, letterId);
  }
}

/** Without a granted token everything is a stranger's, receipts too: else anybody could fill the receipt lane by naming it. */
const poolOf = (letter: Arguments, token: Token | undefined): Pool =>
  token === undefined ? 'strangers' : letter.lane === 'receipt' ? 'receipts' : 'letters';

const duplicate = (seen: Seen, elapsedMs: number): Refusal =>
  ({ outcome: 'duplicate', sequence: seen.sequence, remainingSeconds: remainingSeconds(seen.state === 'held' || seen.state === 'fetched' ? seen.expiresMs - elapsedMs : 0), state: seen.state });

/** Rounded down: never promise a moment longer than the letter lives. */
export const remainingSeconds = (remainingMs: number): number => Math.max(0, Math.floor(remainingMs / 1_000));
