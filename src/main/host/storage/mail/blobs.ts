/**
 * Which large contents are held, for which mailboxes, until when. A content's name is its root with its length; its bytes lie in the blob store.
 *
 * A note stands until it is dropped or `expire` has forgotten it, also when its time is over: as long as a name has a row here its bytes are not
 * to be deleted, and with its last row it comes out as orphaned, once. So a note that is renewed late finds what had arrived. Whether a
 * content is complete belongs to the name: who notes it later has it complete at once.
 *
 * The notes of a mailbox that ended are nobody's (mailbox null) and due; the next `expire` tells what they were the last to hold.
 */
import type { BlobQuota, HoldResult, MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import { remainingSeconds } from './deposits.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Tokens } from './tokens.ts';

interface BlobName { readonly root: Uint8Array; readonly length: number }
interface Usage { readonly count: number; readonly bytes: number; readonly bytesOfToken: number }

/** Stands where a contact's note has the hash of its token. */
const ownerToken = new Uint8Array(0);
/** Due whatever the clock says. */
const alwaysDueMs = 0;

/** `total` counts in doubles and cannot overflow as `sum` does; beyond what a double holds exactly every quota is full. */
const usageSql = `SELECT count(*) AS count, min(total(length), ${String(Number.MAX_SAFE_INTEGER)}) AS bytes,
  min(total(length) FILTER (WHERE token = ?), ${String(Number.MAX_SAFE_INTEGER)}) AS bytes_of_token FROM blob WHERE mailbox = ?`;

export class Blobs {
  readonly #statements: Statements;
  readonly #mailboxes: Mailboxes;
  readonly #tokens: Tokens;

  constructor(statements: Statements, mailboxes: Mailboxes, tokens: Tokens) {
    this.#statements = statements;
    this.#mailboxes = mailboxes;
    this.#tokens = tokens;
  }

  /** The token is looked at first: who was blocked cannot renew what he left here. A note stays under the token that it was made with, unless its owner makes it their own. */
  hold(request: Extract<MailRequest, { op: 'hold-blob' }>): HoldResult {
    const { elapsedMs, owner = false } = request;
    const mailbox = this.#mailboxes.find(request.mailbox);
    if (mailbox === undefined || mailbox.isEnded) return { outcome: 'no-mailbox' };
    const tokenHash = owner ? ownerToken : request.tokenHash;
    const standing = tokenHash === undefined ? undefined : this.#tokens.find(mailbox.id, tokenHash)?.standing;
    if (!owner && standing === 'revoked') return { outcome: 'token-revoked' };
    if (tokenHash === undefined || (!owner && standing !== 'granted')) return { outcome: 'stranger' };
    const complete = this.#isComplete(request);
    const endMs = elapsedMs + request.ttlSeconds * 1_000;
    const knownEndMs = this.#prolong(mailbox.id, request, endMs);
    if (owner && knownEndMs !== undefined) this.#statements.get('UPDATE blob SET token = ? WHERE root = ? AND length = ? AND mailbox = ?').run(ownerToken, request.root, request.length, mailbox.id);
    if (knownEndMs !== undefined) return { outcome: 'noted', complete, remainingSeconds: remainingSeconds(knownEndMs - elapsedMs) };
    if (!fits(request.quota, this.#usage(mailbox.id, tokenHash), request.length)) return { outcome: 'quota' };
    this.#statements
      .get('INSERT INTO blob (mailbox, root, length, token, noted_ms, expires_ms, complete) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(mailbox.id, request.root, request.length, tokenHash, elapsedMs, endMs, complete ? 1 : 0);
    return { outcome: 'noted', complete, remainingSeconds: remainingSeconds(endMs - elapsedMs) };
  }

  complete({ root, length }: Extract<MailRequest, { op: 'blob-complete' }>): MailResults['blob-complete'] {
    this.#statements.get('UPDATE blob SET complete = 1 WHERE root = ? AND length = ? AND complete = 0').run(root, length);
    return {};
  }

  /** Not orphaned when it was not noted there: then nothing changed, and if it is nobody's, that was or will be told. */
  drop(request: Extract<MailRequest, { op: 'drop-blob' }>): MailResults['drop-blob'] {
    const mailbox = this.#mailboxes.find(request.mailbox);
    if (mailbox === undefined) return { orphaned: false };
    const { root, length } = request;
    const whose = request.owner === true ? '' : " AND token <> x''";
    const removed = this.#statements.get(`DELETE FROM blob WHERE root = ? AND length = ? AND mailbox = ?${whose}`).run(root, length, mailbox.id).changes;
    if (removed === 0) return { orphaned: false };
    if (this.#statements.pluck('SELECT 1 FROM blob WHERE root = ? AND length = ? AND mailbox IS NOT NULL LIMIT 1').get(root, length) !== undefined) return { orphaned: false };
    // What ended mailboxes left of it must not speak for bytes that are now deleted.
    this.#statements.get('DELETE FROM blob WHERE root = ? AND length = ?').run(root, length);
    return { orphaned: true };
  }

  all(): MailResults['blobs'] {
    const rows = this.#statements.get('SELECT root, length, max(complete) AS complete FROM blob GROUP BY root, length').all();
    return {
      blobs: rows.map((row) => {
        const reader = new RowReader('blob', row);
        return { root: reader.bytes('root'), length: reader.integer('length'), complete: reader.integer('complete') === 1 };
      }),
    };
  }

  /** Earliest end first. `most` counts notes, of which several may be of one name. */
  expire({ elapsedMs, most }: Extract<MailRequest, { op: 'expire-blobs' }>): MailResults['expire-blobs'] {
    const due = this.#statements.get('SELECT id, root, length FROM blob WHERE expires_ms <= ? ORDER BY expires_ms, id LIMIT ?').all(elapsedMs, most);
    const orphaned: BlobName[] = [];
    for (const row of due) {
      const reader = new RowReader('blob', row);
      const name = { root: reader.bytes('root'), length: reader.integer('length') };
      this.#statements.get('DELETE FROM blob WHERE id = ?').run(reader.integer('id'));
      if (this.#statements.pluck('SELECT 1 FROM blob WHERE root = ? AND length = ? LIMIT 1').get(name.root, name.length) === undefined) orphaned.push(name);
    }
    const more = due.length >= most && this.#statements.pluck('SELECT 1 FROM blob WHERE expires_ms <= ? LIMIT 1').get(elapsedMs) !== undefined;
    return { orphaned, more };
  }

  /** The mailbox has none any more, whether it is opened again or not; the names wait for `expire`. */
  giveUp(mailboxId: number): void {
    this.#statements.get('UPDATE blob SET mailbox = NULL, expires_ms = ? WHERE mailbox = ?').run(alwaysDueMs, mailboxId);
  }

  #isComplete({ root, length }: BlobName): boolean {
    return this.#statements.pluck('SELECT 1 FROM blob WHERE root = ? AND length = ? AND complete = 1 LIMIT 1').get(root, length) !== undefined;
  }

  /** Returns the later of both ends, undefined when the mailbox has not noted it. */
  #prolong(mailboxId: number, { root, length }: BlobName, endMs: number): number | undefined {
    const row = this.#statements.get('SELECT id, expires_ms FROM blob WHERE root = ? AND length = ? AND mailbox = ?').get(root, length, mailboxId);
    if (row === undefined) return undefined;
    const reader = new RowReader('blob', row);
    const knownEndMs = reader.integer('expires_ms');
    if (endMs > knownEndMs) this.#statements.get('UPDATE blob SET expires_ms = ? WHERE id = ?').run(endMs, reader.integer('id'));
    return Math.max(endMs, knownEndMs);
  }

  #usage(mailboxId: number, tokenHash: Uint8Array): Usage {
    const reader = new RowReader('blob', this.#statements.get(usageSql).get(tokenHash, mailboxId));
    return { count: reader.integer('count'), bytes: reader.integer('bytes'), bytesOfToken: reader.integer('bytes_of_token') };
  }
}

/** Subtracted, not added: lengths reach up to the largest exact number. */
const fits = (quota: BlobQuota, usage: Usage, length: number): boolean =>
  usage.count < quota.blobs && length <= quota.bytes - usage.bytes && length <= quota.bytesPerToken - usage.bytesOfToken;
