/** The outbox's talk with recipients' relays: deposit and verify the signed receipt, ask for status, withdraw. No state of letters here. */
import { decodeLetterState, decodeStatusResponse } from '../wire/responses.ts';
import { verifySignedReceipt } from '../wire/receipt.ts';
import { equalBytes } from '../wire/bytes.ts';
import { frameMaximumBytes } from '../wire/frame.ts';
import { isOverTcp, type RelayLink, type RelayLinks } from '../overlay/relay-links.ts';
import type { Instant, LetterState, NegativeCode, RelayHint } from '../wire/types.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { WaitReason } from '../../../shared/views.ts';
import type { VisorContext } from '../visor-context.ts';
import type { OutboxRow } from './visor-store.ts';

const linkDeadlineMs = 5_000;
const depositDeadlineMs = 15_000;
const statusDeadlineMs = 10_000;
const statusPerRequest = 32;
/** Deposits under way at one relay: it pulls at most 32 bodies from a session at a time and refuses the rest. */
const depositsPerLink = 24;
/** A deposit's bytes before header and inline body: frame 18, recipient 33 + 16, token 16, lane 1, ttl 4, hashes 64, lengths 6. */
const depositFixedBytes = 158;

export type DepositOutcome =
  | { readonly kind: 'held'; readonly relay: string; readonly isOverTcp: boolean; readonly expiresInMs: number; readonly fetched: boolean }
  | { readonly kind: 'refused'; readonly reason: WaitReason; readonly retryAfterMs: number; readonly cause: RefusalCause };

/** What to do about it: nothing but wait, look the recipient up again, seal the letter anew, or go without the token. */
export type RefusalCause = 'none' | 'records-stale' | 'seal-again' | 'token-revoked';

/** What a relay said about a letter that it had signed for: `lost` = it never heard of it, `ended` = it will not take this letter id again. */
export interface StatusNews { readonly id: string; readonly letterId: Uint8Array; readonly relay: string; readonly state: 'lost' | 'ended' | 'fetched' | 'acked' | 'unopenable' }

export interface DepositHooks {
  /** The request goes out on a connected link now. */
  readonly sending: (now: Instant) => void;
  readonly done: (outcome: DepositOutcome, sent: boolean, now: Instant) => void;
}

type Refuse = (reason: WaitReason, sent: boolean, at: Instant, retryAfterMs?: number, cause?: RefusalCause) => void;

const refusals: Readonly<Partial<Record<NegativeCode, WaitReason>>> = {
  'quota': 'relay-full', 'busy': 'rate-limited', 'refused': 'relay-refused', 'no-mailbox': 'recipient-unknown', 'revoked': 'relay-refused',
};

const meanings: Readonly<Record<LetterState, StatusNews['state'] | undefined>> = {
  unknown: 'lost', held: undefined, fetched: 'fetched', acked: 'acked', unopenable: 'unopenable', expired: 'ended', withdrawn: 'ended',
};

export class OutboxRelays {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #slots = new Map<string, { running: number; readonly waiting: ((now: Instant) => void)[] }>();

  constructor(context: VisorContext, links: RelayLinks) {
    this.#context = context;
    this.#links = links;
  }

  /** Connected ones first, otherwise the recipient's own order. */
  byReadiness(hints: readonly RelayHint[]): RelayHint[] {
    const connected = new Set<string>();
    for (const link of this.#links.all) if (link.purpose === 'deposit' && link.state === 'connected') connected.add(link.hint.publicKey);
    return [...hints].sort((left, right) => Number(connected.has(right.publicKey)) - Number(connected.has(left.publicKey)));
  }

  deposit(row: OutboxRow, hint: RelayHint, token: Uint8Array | undefined, ttlSeconds: number, now: Instant, hooks: DepositHooks): void {
    const slot = this.#slots.get(hint.publicKey) ?? { running: 0, waiting: [] };
    this.#slots.set(hint.publicKey, slot);
    const start = (at: Instant): void => {
      slot.running += 1;
      this.#depositNow(row, hint, token, ttlSeconds, at, {
        sending: hooks.sending,
        done: (outcome, sent, then) => {
          slot.running -= 1;
          hooks.done(outcome, sent, then);
          if (slot.running < depositsPerLink) slot.waiting.shift()?.(then);
          if (slot.running === 0 && slot.waiting.length === 0) this.#slots.delete(hint.publicKey);
        },
      });
    };
    if (slot.running >= depositsPerLink) slot.waiting.push(start);
    else start(now);
  }

  #depositNow(row: OutboxRow, hint: RelayHint, token: Uint8Array | undefined, ttlSeconds: number, now: Instant, hooks: DepositHooks): void {
    const sealed = row.sealed;
    const refused: Refuse = (reason, sent, at, retryAfterMs = 0, cause = 'none') => {
      hooks.done({ kind: 'refused', reason, retryAfterMs, cause }, sent, at);
    };
    // It may have ended, or been sealed anew, while it waited for its turn at this relay.
    if (this.#context.memory.outbox.get(row.id)?.sealed?.letterId !== sealed?.letterId) { refused('relay-unreachable', false, now); return; }
    const link = sealed === undefined ? undefined : this.#links.deposit(hint, now);
    if (sealed === undefined || link === undefined) { refused('relay-unreachable', false, now); return; }
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      const isCurrent = this.#context.memory.outbox.get(row.id)?.sealed?.letterId === sealed.letterId;
      if (!up || link.sessionId === undefined || !isCurrent) { refused('relay-unreachable', false, at); return; }
      hooks.sending(at);
      const name = { root: sealed.bodyRoot, length: sealed.body.length };
      const inline = depositFixedBytes + sealed.header.length + sealed.body.length <= frameMaximumBytes;
      // A write is a pull: what does not fit is offered, and the relay fetches it at its own pace.
      if (!inline) this.#context.directed.publisher.offer(name, sealed.body);
      this.#context.directed.request(link.sessionId, {
        verb: 'deposit', mailbox: { identity: row.recipient, deviceId: sealed.deviceId }, token, lane: row.kind === 'receipt' ? 'receipt' : 'letter',
        ttlSeconds, purgeHash: sealed.purgeHash, bodyRoot: sealed.bodyRoot, bodyLength: sealed.body.length, header: sealed.header,
        inlineBody: inline ? sealed.body : undefined,
      }, {
        deadlineMs: depositDeadlineMs,
        done: (outcome, then) => {
          if (!inline) this.#context.directed.publisher.withdraw(name);
          this.#judge(row, hint, link, outcome, then, refused, hooks.done);
        },
      }, at);
    });
  }

  #judge(row: OutboxRow, hint: RelayHint, link: RelayLink, outcome: RequestOutcome, now: Instant,
    refused: Refuse,
    done: (outcome: DepositOutcome, sent: boolean, now: Instant) => void): void {
    if (outcome.kind === 'negative') {
      const { code, retryAfterSeconds } = outcome.negative;
      refused(refusals[code] ?? 'relay-refused', true, now, retryAfterSeconds * 1000, code === 'no-mailbox' ? 'records-stale' : code === 'revoked' ? 'token-revoked' : 'none');
      return;
    }
    const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
    const signer = this.#links.session(link)?.remoteCertificate?.ed25519;
    const receipt = payload === undefined || signer === undefined ? undefined : verifySignedReceipt(this.#context.crypto, payload, signer);
    const sealed = row.sealed;
    if (receipt === undefined || sealed === undefined || !equalBytes(receipt.letterId, sealed.letterId) || receipt.recipient !== row.recipient || receipt.deviceId !== sealed.deviceId) {
      if (payload !== undefined) this.#context.count('outbox.bad-receipt');
      refused('relay-unreachable', true, now);
      return;
    }
    // Signed, but not a promise to keep it: under this letter id it never will.
    if (receipt.state !== 'held' && receipt.state !== 'fetched' && receipt.state !== 'acked') { refused('resealing', true, now, 0, 'seal-again'); return; }
    done({
      kind: 'held', relay: hint.publicKey, isOverTcp: isOverTcp(this.#context.sessions, link), expiresInMs: receipt.expiresInSeconds * 1000,
      fetched: receipt.state === 'fetched' || receipt.state === 'acked',
    }, true, now);
  }

  /** Asks each relay that holds some of the rows; `learned` only for news. All rows have one recipient. */
  askStatus(rows: readonly OutboxRow[], hints: (row: OutboxRow) => readonly RelayHint[], now: Instant, learned: (news: StatusNews, now: Instant) => void): void {
    const byRelay = new Map<string, { readonly hint: RelayHint; readonly deviceId: string; readonly rows: OutboxRow[] }>();
    for (const row of rows) {
      for (const held of row.facts.held ?? []) {
        const hint = hints(row).find((one) => one.publicKey === held.relay);
        if (hint === undefined || row.sealed === undefined || (held.lostAtMs !== undefined && held.lostAtMs >= held.sinceMs)) continue;
        const key = `${held.relay} ${row.sealed.deviceId}`;
        const group = byRelay.get(key) ?? { hint, deviceId: row.sealed.deviceId, rows: [] };
        group.rows.push(row);
        byRelay.set(key, group);
      }
    }
    for (const group of byRelay.values()) {
      for (let start = 0; start < group.rows.length; start += statusPerRequest) this.#askGroup(group.hint, group.deviceId, group.rows.slice(start, start + statusPerRequest), now, learned);
    }
  }

  #askGroup(hint: RelayHint, deviceId: string, rows: readonly OutboxRow[], now: Instant, learned: (news: StatusNews, now: Instant) => void): void {
    const link = this.#links.deposit(hint, now);
    const recipient = rows[0]?.recipient;
    if (link === undefined || recipient === undefined) return;
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      if (!up || link.sessionId === undefined) return;
      const letterIds = rows.flatMap((row) => (row.sealed === undefined ? [] : [row.sealed.letterId]));
      this.#context.directed.request(link.sessionId, { verb: 'status', mailbox: { identity: recipient, deviceId }, letterIds }, {
        deadlineMs: statusDeadlineMs,
        done: (outcome, then) => {
          const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
          const states = payload === undefined ? undefined : decodeStatusResponse(payload);
          if (states?.length !== rows.length) return;
          rows.forEach((row, index) => {
            const told = states[index]?.state;
            const letterId = row.sealed?.letterId;
            const state = told === undefined ? undefined : meanings[told];
            if (state !== undefined && letterId !== undefined) learned({ id: row.id, letterId, relay: hint.publicKey, state }, then);
          });
        },
      }, at);
    });
  }

  /** Takes the copies back. A sealed letter may lie at relays whose receipt was lost, so all of the recipient's are asked. */
  withdraw(row: OutboxRow, hints: readonly RelayHint[], now: Instant, done: (allAnswered: boolean, fetched: boolean, now: Instant) => void): void {
    const targets = [...new Map(hints.map((hint) => [hint.publicKey, hint])).values()];
    let open = targets.length;
    let allAnswered = true;
    let fetched = false;
    if (open === 0 || row.sealed === undefined) { done(true, false, now); return; }
    for (const hint of targets) {
      this.#withdrawAt(row, hint, now, (answered, state, at) => {
        allAnswered = allAnswered && answered;
        fetched = fetched || state === 'fetched' || state === 'acked';
        open -= 1;
        if (open === 0) done(allAnswered, fetched, at);
      });
    }
  }

  /** Best effort after a receipt: the recipient's own acknowledgements and the TTL remove what this misses. */
  purge(row: OutboxRow, relays: readonly string[], hints: readonly RelayHint[], now: Instant): void {
    for (const relay of relays) {
      const hint = hints.find((one) => one.publicKey === relay);
      if (hint !== undefined) this.#withdrawAt(row, hint, now, () => undefined);
    }
  }

  #withdrawAt(row: OutboxRow, hint: RelayHint, now: Instant, done: (answered: boolean, state: string, now: Instant) => void): void {
    const sealed = row.sealed;
    const link = sealed === undefined ? undefined : this.#links.deposit(hint, now);
    if (sealed === undefined || link === undefined) { done(false, 'unknown', now); return; }
    this.#links.whenUp(link, linkDeadlineMs, now, (up, at) => {
      if (!up || link.sessionId === undefined) { done(false, 'unknown', at); return; }
      this.#context.directed.request(link.sessionId, { verb: 'withdraw', mailbox: { identity: row.recipient, deviceId: sealed.deviceId }, letterId: sealed.letterId, purgeKey: sealed.purgeKey }, {
        deadlineMs: statusDeadlineMs,
        done: (outcome, then) => {
          const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
          const state = payload === undefined ? undefined : decodeLetterState(payload);
          const gone = outcome.kind === 'negative' && (outcome.negative.code === 'not-found' || outcome.negative.code === 'no-mailbox');
          done(state !== undefined || gone, state ?? 'unknown', then);
        },
      }, at);
    });
  }
}
