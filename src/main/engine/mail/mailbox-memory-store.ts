/**
 * The mail store contract over plain maps, for the tests of the mailbox role, which must not reach into the host. It passes the same conformance
 * suite as SQLite (`host/storage/mail/conformance.ts`). No durability, no indexes: not part of the product.
 */
import { equalBytes, toHex } from '../wire/bytes.ts';
import { mailboxKey } from '../wire/types.ts';
import type { LetterState, Mailbox } from '../wire/types.ts';
import type { DepositArguments, DepositResult, HoldResult, MailOperation, MailRequest, MailResults, MailStore } from './mail-store.ts';

const inlineBodyBytes = 272;
const entryOverheadBytes = 89;
const receiptSizeBytes = 5 * 1_024;
const seenRetentionMs = 86_400_000;
const refusalsTold = 32;

type Pool = 'letters' | 'strangers' | 'receipts';
interface Token { readonly hash: Uint8Array; standing: 'granted' | 'revoked' | 'forgotten'; refused: boolean }
interface Kept { readonly arguments: DepositArguments; readonly sequence: number; readonly expiresMs: number; readonly pool: Pool; readonly token: Token | undefined; state: LetterState; sinceMs: number; listed: boolean }
interface Box { readonly mailbox: Mailbox; readonly letters: Map<string, Kept>; readonly tokens: Map<string, Token>; tokensVersion: number; highestSequence: number; ended: boolean }
interface BlobName { readonly root: Uint8Array; readonly length: number }
/** `box`: undefined once its mailbox ended. */
interface Note extends BlobName { readonly key: string; tokenKey: string; box: Box | undefined; expiresMs: number; complete: boolean }
type Handlers = { readonly [Op in MailOperation]: (request: Extract<MailRequest, { op: Op }>) => MailResults[Op] };
type Admission = { readonly refusal: Exclude<DepositResult, { outcome: 'stored' }> } | { readonly refusal: undefined; readonly box: Box; readonly pool: Pool; readonly token: Token | undefined };

const isLive = ({ state }: { readonly state: LetterState }): boolean => state === 'held' || state === 'fetched';
const sizeOf = ({ arguments: { header, body } }: Kept): number => header.length + body.length;
const blobKey = ({ root, length }: BlobName): string => `${toHex(root)}-${String(length)}`;
const recordKey = (kind: string, identity: string, deviceId: string, path: string): string => `${kind}/${identity}/${deviceId}/${path}`;
/** Stands where the token of a contact's note stands. */
const ownerKey = 'owner';
const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1_000));

export class MemoryMailStore implements MailStore {
  readonly #boxes = new Map<string, Box>();
  readonly #records = new Map<string, { readonly sequence: number; readonly bytes: Uint8Array; readonly notAfterSeconds: number }>();
  /** What is held of large contents, in the order in which it was noted. */
  #notes: Note[] = [];
  #opened: MailResults['open'] | undefined;
  #latestMs = 0;

  readonly #handlers: Handlers = {
    'open': ({ freshEpoch }) => (this.#opened ??= { epoch: freshEpoch.slice(), elapsedMs: 0, lastWallMs: undefined }),
    'tick': ({ elapsedMs, wallMs }) => {
      if (this.#opened !== undefined) this.#opened = { epoch: this.#opened.epoch, elapsedMs: Math.max(elapsedMs, this.#opened.elapsedMs), lastWallMs: wallMs };
      return {};
    },
    'register': ({ mailbox }) => {
      const box: Box = this.#boxes.get(mailboxKey(mailbox)) ?? { mailbox, letters: new Map(), tokens: new Map(), tokensVersion: 0, highestSequence: 0, ended: false };
      this.#boxes.set(mailboxKey(mailbox), box);
      box.ended = false;
      const live = [...box.letters.values()].filter(isLive);
      return { tokensVersion: box.tokensVersion, letters: live.length, bytes: live.reduce((sum, kept) => sum + sizeOf(kept), 0), highestSequence: box.highestSequence };
    },
    'tokens': (request) => {
      const box = this.#boxes.get(mailboxKey(request.mailbox));
      if (box === undefined || box.ended) return {};
      if (request.reset) for (const token of box.tokens.values()) if (token.standing === 'granted') { token.standing = 'forgotten'; token.refused = false; }
      for (const { granted, hash } of request.tokens) {
        const token: Token = box.tokens.get(toHex(hash)) ?? { hash, standing: 'forgotten', refused: false };
        token.standing = granted ? 'granted' : 'revoked';
        box.tokens.set(toHex(hash), token);
      }
      box.tokensVersion = request.version;
      return {};
    },
    'deposit': (request) => {
      const admission = this.#admit(request, request.body.length);
      if (admission.refusal !== undefined) return admission.refusal;
      const { box, pool, token } = admission;
      box.highestSequence += 1;
      const kept: Kept = {
        arguments: request, sequence: box.highestSequence, expiresMs: request.elapsedMs + request.ttlSeconds * 1_000, pool, token, state: 'held', sinceMs: request.elapsedMs, listed: false,
      };
      box.letters.set(toHex(request.letterId), kept);
      return { outcome: 'stored', sequence: kept.sequence, remainingSeconds: request.ttlSeconds, state: 'held', byStranger: pool === 'strangers' };
    },
    'check-deposit': (request) => this.#admit(request, request.bodyLength).refusal ?? { outcome: 'would-store' },
    'list': ({ mailbox, afterSequence, mostBytes, elapsedMs }) => {
      const waiting = [...this.#boxes.get(mailboxKey(mailbox))?.letters.values() ?? []]
        .filter((kept) => isLive(kept) && kept.expiresMs > elapsedMs && kept.sequence > afterSequence).sort((left, right) => left.sequence - right.sequence);
      let bytes = 0;
      const shown = waiting.filter((kept, index) => {
        const { header, body } = kept.arguments;
        bytes += entryOverheadBytes + header.length + (body.length <= inlineBodyBytes ? body.length : 0);
        return index === 0 || bytes <= mostBytes;
      });
      const entries = shown.map((kept) => {
        const { letterId, lane, bodyRoot, body, header } = kept.arguments;
        const inlineBody = body.length <= inlineBodyBytes ? body : undefined;
        kept.listed = true;
        if (inlineBody !== undefined && kept.state === 'held') this.#set(kept, 'fetched', elapsedMs);
        return {
          sequence: kept.sequence, letterId, lane, remainingSeconds: seconds(kept.expiresMs - elapsedMs), heldForSeconds: seconds(elapsedMs - kept.arguments.elapsedMs),
          bodyRoot, bodyLength: body.length, header, inlineBody,
        };
      });
      return { entries, remaining: waiting.length - shown.length };
    },
    'shown': ({ mailbox, letterId, elapsedMs }) => {
      const kept = this.#boxes.get(mailboxKey(mailbox))?.letters.get(toHex(letterId));
      if (kept !== undefined) kept.listed = true;
      if (kept?.state === 'held') this.#set(kept, 'fetched', elapsedMs);
      return {};
    },
    'body': ({ root, length }) => {
      const found = [...this.#boxes.values()].flatMap((box) => [...box.letters.values()])
        .filter((kept) => isLive(kept) && kept.arguments.body.length === length && equalBytes(kept.arguments.bodyRoot, root));
      for (const kept of found) if (kept.listed && kept.state === 'held') this.#set(kept, 'fetched', this.#latestMs);
      return { body: found[0]?.arguments.body };
    },
    'ack': ({ mailbox, elapsedMs, letters }) => {
      let acked = 0;
      for (const { letterId, verdict } of letters) {
        const seen = this.#find(mailbox, letterId, elapsedMs);
        const state = verdict === 'committed' ? 'acked' : 'unopenable';
        if (seen === undefined || seen.state === state || seen.state === 'acked') continue;
        this.#set(seen.kept, state, elapsedMs);
        acked += 1;
      }
      return { acked };
    },
    'withdraw': ({ mailbox, letterId, purgeHash, elapsedMs }) => {
      const seen = this.#find(mailbox, letterId, elapsedMs);
      if (seen === undefined) return { state: 'unknown' };
      if (!isLive(seen) || !equalBytes(seen.kept.arguments.purgeHash, purgeHash)) return { state: seen.state };
      this.#set(seen.kept, 'withdrawn', elapsedMs);
      return { state: 'withdrawn' };
    },
    'status': ({ mailbox, letterIds, elapsedMs }) => ({
      states: letterIds.map((letterId) => {
        const seen = this.#find(mailbox, letterId, elapsedMs);
        return seen === undefined ? { state: 'unknown', secondsSince: 0 } : { state: seen.state, secondsSince: seconds(elapsedMs - seen.sinceMs) };
      }),
    }),
    'refusals': ({ mailbox }) => {
      const refused = [...this.#boxes.get(mailboxKey(mailbox))?.tokens.values() ?? []].filter((token) => token.refused).slice(0, refusalsTold);
      for (const token of refused) token.refused = false;
      return { hashes: refused.map(({ hash }) => hash) };
    },
    'expire': ({ elapsedMs, most }) => {
      const due = [...this.#boxes.values()].flatMap((box) => [...box.letters.values()]).filter((kept) => isLive(kept) && kept.expiresMs <= elapsedMs);
      for (const kept of due.slice(0, most)) this.#set(kept, 'expired', kept.expiresMs);
      const forgotten = [...this.#boxes.values()].flatMap((box) => [...box.letters].map(([id, kept]) => ({ box, id, kept })))
        .filter(({ kept }) => !isLive(kept) && kept.expiresMs + seenRetentionMs <= elapsedMs);
      for (const { box, id } of forgotten.slice(0, most)) box.letters.delete(id);
      for (const [key, box] of this.#boxes) if (box.ended && box.letters.size === 0) this.#boxes.delete(key);
      return { expired: Math.min(due.length, most), more: due.length > most || forgotten.length > most };
    },
    'revoke-device': ({ identity, keepDeviceIds, elapsedMs }) => {
      const ending = [...this.#boxes.values()].filter((box) => !box.ended && box.mailbox.identity === identity && !keepDeviceIds.includes(box.mailbox.deviceId));
      let letters = 0;
      for (const box of ending) {
        for (const kept of box.letters.values()) {
          if (!isLive(kept)) continue;
          const isExpired = kept.expiresMs <= elapsedMs;
          this.#set(kept, isExpired ? 'expired' : 'unopenable', isExpired ? kept.expiresMs : elapsedMs);
          if (!isExpired) letters += 1;
        }
        for (const note of this.#notes) if (note.box === box) { note.box = undefined; note.expiresMs = 0; }
        box.tokens.clear();
        box.tokensVersion = 0;
        box.ended = true;
      }
      return { mailboxes: ending.length, letters };
    },
    'hold-blob': (request) => this.#hold(request),
    'blob-complete': (request) => {
      for (const note of this.#notes) if (note.key === blobKey(request)) note.complete = true;
      return {};
    },
    'drop-blob': (request) => {
      const key = blobKey(request);
      const box = this.#boxes.get(mailboxKey(request.mailbox));
      const dropped = this.#notes.find((note) => note.key === key && note.box !== undefined && note.box === box);
      if (dropped === undefined || (dropped.tokenKey === ownerKey && request.owner !== true)) return { orphaned: false };
      this.#notes = this.#notes.filter((note) => note !== dropped);
      const orphaned = !this.#notes.some((note) => note.key === key && note.box !== undefined);
      if (orphaned) this.#notes = this.#notes.filter((note) => note.key !== key);
      return { orphaned };
    },
    'blobs': () => ({ blobs: [...new Map(this.#notes.map(({ key, root, length, complete }) => [key, { root, length, complete }])).values()] }),
    'expire-blobs': ({ elapsedMs, most }) => {
      const due = this.#notes.filter(({ expiresMs }) => expiresMs <= elapsedMs).sort((one, other) => one.expiresMs - other.expiresMs);
      const forgotten = new Set(due.slice(0, most));
      this.#notes = this.#notes.filter((note) => !forgotten.has(note));
      const kept = new Set(this.#notes.map(({ key }) => key));
      const orphaned = new Map([...forgotten].filter(({ key }) => !kept.has(key)).map(({ key, root, length }) => [key, { root, length }]));
      return { orphaned: [...orphaned.values()], more: due.length > most };
    },
    'put-record': ({ kind, identity, deviceId, sequence, notAfterSeconds, bytes, path = '', most = Infinity }) => {
      const key = recordKey(kind, identity, deviceId, path);
      const known = this.#records.get(key);
      if (known !== undefined && sequence <= known.sequence) return { outcome: sequence === known.sequence && equalBytes(known.bytes, bytes) ? 'unchanged' : 'stale' };
      const sameOwner = recordKey(kind, identity, deviceId, '');
      if (kind === 'named' && known === undefined && [...this.#records.keys()].filter((other) => other.startsWith(sameOwner)).length >= most) return { outcome: 'quota' };
      this.#records.set(key, { sequence, bytes, notAfterSeconds });
      return { outcome: 'stored' };
    },
    'get-record': ({ kind, identity, deviceId, path = '' }) => {
      const { bytes, sequence } = this.#records.get(recordKey(kind, identity, deviceId, path)) ?? { bytes: undefined, sequence: 0 };
      return { bytes, sequence };
    },
    'expire-records': ({ nowSeconds, most }) => {
      const due = [...this.#records].filter(([key, { notAfterSeconds }]) => key.startsWith('named/') && notAfterSeconds <= nowSeconds);
      for (const [key] of due.slice(0, most)) this.#records.delete(key);
      return { expired: Math.min(due.length, most), more: due.length > most };
    },
  };

  apply<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>): MailResults[Op] {
    if ('elapsedMs' in request && typeof request.elapsedMs === 'number') this.#latestMs = Math.max(this.#latestMs, request.elapsedMs);
    const handler: Handlers[Op] = this.#handlers[request.op];
    return handler(request);
  }

  #hold({ mailbox, tokenHash, owner = false, root, length, ttlSeconds, elapsedMs, quota }: Extract<MailRequest, { op: 'hold-blob' }>): HoldResult {
    const box = this.#boxes.get(mailboxKey(mailbox));
    if (box === undefined || box.ended) return { outcome: 'no-mailbox' };
    const tokenKey = owner ? ownerKey : tokenHash === undefined ? '' : toHex(tokenHash);
    const standing = box.tokens.get(tokenKey)?.standing;
    if (!owner && standing === 'revoked') return { outcome: 'token-revoked' };
    if (!owner && standing !== 'granted') return { outcome: 'stranger' };
    const key = blobKey({ root, length });
    const own = this.#notes.filter((note) => note.box === box);
    const known = own.find((note) => note.key === key);
    const bytesOf = (notes: readonly Note[]): number => notes.reduce((sum, note) => sum + note.length, 0);
    const fits = own.length < quota.blobs && length <= quota.bytes - bytesOf(own) && length <= quota.bytesPerToken - bytesOf(own.filter((note) => note.tokenKey === tokenKey));
    if (known === undefined && !fits) return { outcome: 'quota' };
    const note = known ?? { root, length, key, tokenKey, box, expiresMs: 0, complete: this.#notes.some((other) => other.key === key && other.complete) };
    if (owner) note.tokenKey = ownerKey;
    note.expiresMs = Math.max(note.expiresMs, elapsedMs + ttlSeconds * 1_000);
    if (known === undefined) this.#notes.push(note);
    return { outcome: 'noted', complete: note.complete, remainingSeconds: seconds(note.expiresMs - elapsedMs) };
  }

  #admit(letter: Omit<DepositArguments, 'body'>, bodyLength: number): Admission {
    const box = this.#boxes.get(mailboxKey(letter.mailbox));
    if (box === undefined) return { refusal: { outcome: 'no-mailbox' } };
    const seen = this.#find(letter.mailbox, letter.letterId, letter.elapsedMs);
    if (seen !== undefined) return { refusal: { outcome: 'duplicate', sequence: seen.kept.sequence, remainingSeconds: isLive(seen) ? seconds(seen.kept.expiresMs - letter.elapsedMs) : 0, state: seen.state } };
    if (box.ended) return { refusal: { outcome: 'no-mailbox' } };
    const known = letter.tokenHash === undefined ? undefined : box.tokens.get(toHex(letter.tokenHash));
    if (known?.standing === 'revoked') return { refusal: { outcome: 'token-revoked' } };
    const token = known?.standing === 'granted' ? known : undefined;
    const pool: Pool = token === undefined ? 'strangers' : letter.lane === 'receipt' ? 'receipts' : 'letters';
    const scope = exceeded(box, letter, pool, token, letter.header.length + bodyLength);
    if (scope === undefined) return { refusal: undefined, box, pool, token };
    if (token !== undefined) token.refused = true;
    return { refusal: { outcome: 'quota', scope } };
  }

  /** As of now: expired and forgotten letters are so before any sweep. */
  #find(mailbox: Mailbox, letterId: Uint8Array, elapsedMs: number): { readonly kept: Kept; readonly state: LetterState; readonly sinceMs: number } | undefined {
    const kept = this.#boxes.get(mailboxKey(mailbox))?.letters.get(toHex(letterId));
    if (kept === undefined || kept.expiresMs + seenRetentionMs <= elapsedMs) return undefined;
    return isLive(kept) && kept.expiresMs <= elapsedMs ? { kept, state: 'expired', sinceMs: kept.expiresMs } : { kept, state: kept.state, sinceMs: kept.sinceMs };
  }

  #set(kept: Kept, state: LetterState, sinceMs: number): void {
    kept.state = state;
    kept.sinceMs = sinceMs;
  }
}

function exceeded(box: Box, { quota }: Omit<DepositArguments, 'body'>, pool: Pool, token: Token | undefined, sizeBytes: number): Extract<DepositResult, { outcome: 'quota' }>['scope'] | undefined {
  const waiting = [...box.letters.values()].filter((kept) => isLive(kept) && kept.pool === pool);
  const bytes = waiting.reduce((sum, kept) => sum + sizeOf(kept), 0);
  const fits = (mostLetters: number, mostBytes: number): boolean => waiting.length < mostLetters && bytes + sizeBytes <= mostBytes;
  switch (pool) {
    case 'letters':
      if (waiting.filter((kept) => kept.token === token).length >= quota.lettersPerToken) return 'token';
      return fits(quota.letters, quota.bytes) ? undefined : 'mailbox';
    case 'strangers': return fits(quota.strangerLetters, (quota.bytes * quota.strangerLetters) / Math.max(1, quota.letters)) ? undefined : 'strangers';
    case 'receipts': return fits(quota.receipts, quota.receipts * receiptSizeBytes) ? undefined : 'receipts';
  }
}
