/** The short verbs of a mailbox: what its owner asks inside an authenticated session, and what depositors ask about their letters. */
import { equalBytes } from '../wire/bytes.ts';
import { encodeLetterState, encodeRefusals, encodeRegisterResponse, encodeStatusResponse, refusalsMaximum } from '../wire/responses.ts';
import { fragmentRoomBytes, packList } from './mailbox-list.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, RequestBody, Verb } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';
import type { Doorbell } from './mailbox-doorbell.ts';
import type { MailboxOwners } from './mailbox-owners.ts';

type Body<Name extends Verb> = Extract<RequestBody, { verb: Name }>;
const nothing = new Uint8Array(0);

export class MailboxVerbs {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #doorbell: Doorbell;

  constructor(context: MailboxContext, owners: MailboxOwners, doorbell: Doorbell) {
    this.#context = context;
    this.#owners = owners;
    this.#doorbell = doorbell;
  }

  register(sessionId: SessionId, answer: Answer, now: Instant): void {
    this.#owners.withOwner(sessionId, answer, now, (mailbox, at) => {
      this.#context.store<'register'>({ op: 'register', mailbox, elapsedMs: this.#context.elapsedMs(at) }, (result, later) => {
        // It may have closed while the store was writing; nobody would ever take it out again.
        if (this.#context.environment.session(sessionId) !== undefined) this.#owners.registered(sessionId, mailbox);
        const { tokensVersion, letters, bytes } = result;
        answer.respond(encodeRegisterResponse({
          epoch: this.#context.epoch, tokensVersion, quotaLetters: this.#context.quota.letters, quotaBytes: this.#context.quota.bytes, letters, bytes,
        }), later);
        if (letters > 0) this.#doorbell.letterStored(mailbox, result.highestSequence);
      });
    });
  }

  tokens(sessionId: SessionId, body: Body<'tokens'>, answer: Answer, now: Instant): void {
    const tokens = body.tokens.map(({ granted, hash }) => ({ granted, hash: hash.slice() }));
    this.#owners.withOwner(sessionId, answer, now, (mailbox) => {
      this.#context.store<'tokens'>({ op: 'tokens', mailbox, version: body.version, reset: body.reset, tokens }, (_, later) => { answer.respond(nothing, later); });
    });
  }

  list(sessionId: SessionId, body: Body<'list'>, answer: Answer, now: Instant): void {
    const { mostFragments } = body;
    // A cursor of another epoch counts something else; the answer carries ours.
    const afterSequence = equalBytes(body.epoch, this.#context.epoch) ? body.afterSequence : 0;
    this.#owners.withOwner(sessionId, answer, now, (mailbox, at) => {
      this.#context.store<'list'>(
        { op: 'list', mailbox, afterSequence, mostBytes: mostFragments * fragmentRoomBytes, elapsedMs: this.#context.elapsedMs(at) },
        (result, later) => { answer.respondMany(packList(this.#context.epoch, result.entries, result.remaining, mostFragments), later); },
      );
    });
  }

  ack(sessionId: SessionId, body: Body<'ack'>, answer: Answer, now: Instant): void {
    const letters = body.letters.map(({ letterId, verdict }) => ({ letterId: letterId.slice(), verdict }));
    this.#owners.withOwner(sessionId, answer, now, (mailbox, at) => {
      this.#context.store<'ack'>({ op: 'ack', mailbox, letters, elapsedMs: this.#context.elapsedMs(at) }, (_, later) => { answer.respond(nothing, later); });
    });
  }

  refusals(sessionId: SessionId, answer: Answer, now: Instant): void {
    this.#owners.withOwner(sessionId, answer, now, (mailbox) => {
      this.#context.store<'refusals'>({ op: 'refusals', mailbox }, ({ hashes }, later) => {
        const fragments: Uint8Array[] = [];
        for (let start = 0; start === 0 || start < hashes.length; start += refusalsMaximum) fragments.push(encodeRefusals(hashes.slice(start, start + refusalsMaximum)));
        answer.respondMany(fragments, later);
      });
    });
  }

  /** Who shows the purge key may withdraw: the letter's sender (cancelled) or its recipient (has it from another relay). */
  withdraw(body: Body<'withdraw'>, answer: Answer, now: Instant): void {
    const purgeHash = this.#context.environment.crypto.blake3(body.purgeKey);
    this.#context.store<'withdraw'>(
      { op: 'withdraw', mailbox: body.mailbox, letterId: body.letterId.slice(), purgeHash, elapsedMs: this.#context.elapsedMs(now) },
      ({ state }, at) => { answer.respond(encodeLetterState(state), at); },
    );
  }

  /** For whoever knows the letter ids: those who deposited, and nobody can guess one. */
  status(body: Body<'status'>, answer: Answer, now: Instant): void {
    const letterIds = body.letterIds.map((letterId) => letterId.slice());
    this.#context.store<'status'>({ op: 'status', mailbox: body.mailbox, letterIds, elapsedMs: this.#context.elapsedMs(now) }, ({ states }, at) => {
      answer.respond(encodeStatusResponse(states), at);
    });
  }
}
