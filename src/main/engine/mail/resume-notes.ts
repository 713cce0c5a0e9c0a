/**
 * A full mailbox turns letters away, and their senders come back seldom (architecture 7). Once ours is drained, those of them that we know
 * are told that there is room: a `resume` note, after which they try at once.
 */
import { encodeContent } from '../wire/content.ts';
import { toHex } from '../wire/bytes.ts';
import { decodeRefusals } from '../wire/responses.ts';
import type { RelayLink } from '../overlay/relay-links.ts';
import type { Instant, PublicKeyHex, RequestBody } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Outbox } from './outbox.ts';
import type { DepositTokens } from './tokens.ts';
import type { OutboxRow } from './visor-store.ts';

const askDeadlineMs = 10_000;
/** By then they have tried by themselves: the longest pause of a refused sender is six hours. */
const noteTtlSeconds = 86_400;
/** To one contact in that time: a relay that names them for ever must not fill their mailbox, where our token has room for 128 letters, with notes of ours. */
const notesMaximum = 16;

export class ResumeNotes {
  readonly #context: VisorContext;
  readonly #tokens: DepositTokens;
  readonly #outbox: () => Outbox;
  /** When notes were written to somebody, monotonic ms; oldest first. */
  readonly #written = new Map<PublicKeyHex, number[]>();

  constructor(context: VisorContext, tokens: DepositTokens, outbox: () => Outbox) {
    this.#context = context;
    this.#tokens = tokens;
    this.#outbox = outbox;
  }

  /** After draining: asks that relay whose letters it has turned away since it was asked last. */
  askRefusals(link: RelayLink | undefined, now: Instant): void {
    if (link?.sessionId === undefined) return;
    const body: RequestBody = { verb: 'refusals' };
    this.#context.directed.request(link.sessionId, body, {
      deadlineMs: askDeadlineMs,
      done: (outcome, at) => {
        const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
        for (const hash of (payload === undefined ? undefined : decodeRefusals(payload)) ?? []) {
          const publicKey = this.#tokens.contactOf(hash);
          if (publicKey !== undefined) this.#send(publicKey, at);
        }
      },
    }, now);
  }

  #mayWrite(recipient: PublicKeyHex, now: Instant): boolean {
    for (const [known, times] of this.#written) {
      const left = times.filter((atMs) => now.monotonicMs - atMs < noteTtlSeconds * 1_000);
      if (left.length > 0) this.#written.set(known, left);
      else this.#written.delete(known);
    }
    const times = this.#written.get(recipient) ?? [];
    if (times.length >= notesMaximum) { this.#context.count('resume.left-out'); return false; }
    this.#written.set(recipient, [...times, now.monotonicMs]);
    return true;
  }

  #send(recipient: PublicKeyHex, now: Instant): void {
    const waiting = [...this.#context.memory.outbox.values()].some((row) => row.kind === 'resume' && row.recipient === recipient);
    if (waiting || !this.#mayWrite(recipient, now)) return;
    const row: OutboxRow = {
      id: toHex(this.#context.random(16)), recipient, destinationPort: 1, sourcePort: 1, kind: 'resume', content: encodeContent({ kind: 'resume' }), sequence: 0,
      queuedAtMs: now.wallMs, ttlSeconds: noteTtlSeconds, expiresAtMs: this.#context.correctedWallMs(now) + noteTtlSeconds * 1000, attempts: 0,
      lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
    };
    this.#context.commit([{ kind: 'put-outbox', row }], { done: (_applied, at) => { this.#outbox().adopt(row, at); } });
  }
}
