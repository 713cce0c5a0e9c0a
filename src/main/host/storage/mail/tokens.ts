/**
 * Deposit tokens of a mailbox, by hash: granted, revoked, or unknown. A token that the owner never granted here (or that a `reset` forgot) is
 * as good as none: its letter goes the way of strangers, because the grant may simply not have arrived yet. Only an explicit
 * revocation is answered as such. Each token counts the letters waiting under it and remembers a refusal for quota.
 */
import type { MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import { RowReader, integerOf } from '../row.ts';
import type { Statements } from '../statements.ts';
import type { Mailboxes } from './mailboxes.ts';

/** Granted, revoked and forgotten ones together; more than this from one owner are not kept, and count as unknown. */
const mostTokensPerMailbox = 20_000;
/** One answer holds this many (a response fragment of 1,149 bytes); the rest are told next time. */
const mostRefusalsTold = 32;

const standings = ['forgotten', 'granted', 'revoked'] as const;
type Standing = (typeof standings)[number];
const standingIndex = (standing: Standing): string => String(standings.indexOf(standing));

export interface Token { readonly id: number; readonly standing: Standing; readonly waiting: number; readonly isRefused: boolean }

export class Tokens {
  readonly #statements: Statements;
  readonly #mailboxes: Mailboxes;

  constructor(statements: Statements, mailboxes: Mailboxes) {
    this.#statements = statements;
    this.#mailboxes = mailboxes;
  }

  find(mailboxId: number, hash: Uint8Array): Token | undefined {
    const row = this.#statements.get('SELECT id, standing, waiting, refused FROM token WHERE mailbox = ? AND hash = ?').get(mailboxId, hash);
    if (row === undefined) return undefined;
    const reader = new RowReader('token', row);
    return { id: reader.integer('id'), standing: reader.indexOf('standing', standings), waiting: reader.integer('waiting'), isRefused: reader.integer('refused') === 1 };
  }

  /**
   * Applied as it comes, and the version is taken as given, also a lower one: an upload in several requests carries the owner's version
   * only in the last, so a relay that heard half of it, or an old request late, reports a version that makes the owner tell all again.
   */
  update(request: Extract<MailRequest, { op: 'tokens' }>): MailResults['tokens'] {
    const mailbox = this.#mailboxes.find(request.mailbox);
    if (mailbox === undefined || mailbox.isEnded) return {};
    if (request.reset) this.#forgetGrants(mailbox.id);
    let room = mostTokensPerMailbox - integerOf(this.#statements.pluck('SELECT count(*) FROM token WHERE mailbox = ?').get(mailbox.id), 'token', 'count');
    for (const { granted, hash } of request.tokens) {
      const standing = granted ? 'granted' : 'revoked';
      const known = this.find(mailbox.id, hash);
      if (known !== undefined) {
        this.#statements.get('UPDATE token SET standing = ? WHERE id = ?').run(standings.indexOf(standing), known.id);
      } else if (room > 0) {
        room -= 1;
        this.#statements.get('INSERT INTO token (mailbox, hash, standing) VALUES (?, ?, ?)').run(mailbox.id, hash, standings.indexOf(standing));
      }
    }
    if (request.version !== mailbox.tokensVersion) this.#mailboxes.setTokensVersion(mailbox.id, request.version);
    return {};
  }

  countWaiting(tokenId: number, change: 1 | -1): void {
    this.#statements.get('UPDATE token SET waiting = waiting + ? WHERE id = ?').run(change, tokenId);
  }

  setRefused(token: Token): void {
    if (!token.isRefused) this.#statements.get('UPDATE token SET refused = 1 WHERE id = ?').run(token.id);
  }

  /** Told once. */
  takeRefusals({ mailbox }: Extract<MailRequest, { op: 'refusals' }>): MailResults['refusals'] {
    const found = this.#mailboxes.find(mailbox);
    if (found === undefined) return { hashes: [] };
    const refused = this.#statements
      .get('SELECT id, hash FROM token WHERE mailbox = ? AND refused = 1 ORDER BY id LIMIT ?')
      .all(found.id, mostRefusalsTold)
      .map((row) => new RowReader('token', row));
    for (const reader of refused) this.#statements.get('UPDATE token SET refused = 0 WHERE id = ?').run(reader.integer('id'));
    return { hashes: refused.map((reader) => reader.bytes('hash')) };
  }

  removeAll(mailboxId: number): void {
    this.#statements.get('DELETE FROM token WHERE mailbox = ?').run(mailboxId);
  }

  /**
   * Rows under which letters wait stay, so that their count is right when the token is granted again. Revocations stay too: an upload
   * names only what is granted, and who was blocked shall go on hearing so.
   */
  #forgetGrants(mailboxId: number): void {
    const granted = standingIndex('granted');
    this.#statements.get(`DELETE FROM token WHERE mailbox = ? AND waiting = 0 AND standing <= ${granted}`).run(mailboxId);
    this.#statements.get(`UPDATE token SET standing = ${standingIndex('forgotten')}, refused = 0 WHERE mailbox = ? AND standing = ${granted}`).run(mailboxId);
  }
}
