/**
 * Taking a letter in, whichever way it came: opened, its meaning computed, and committed in one transaction with the row by which a second copy is known. What its bearer
 * may be told - that it is committed, or that it cannot be opened - comes back once that is durable, and not before.
 */
import { toHex } from '../wire/bytes.ts';
import { decodeContent } from '../wire/content.ts';
import { LetterOpener } from './letter-opener.ts';
import { openBody } from './letter.ts';
import type { EngineChange } from '../engine-types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Content, Instant, LetterHeader } from '../wire/types.ts';
import type { LetterWay } from './letter-way.ts';
import type { PrekeyRow, VisorChange } from './visor-store.ts';

/** What an opened letter means for the store; computed by the conversation rules. */
export interface Effects {
  readonly changes: readonly VisorChange[];
  readonly announce: readonly EngineChange[];
  /** Runs after the commit, also for a letter seen before; `settled` must be called once what it writes is committed. */
  readonly after: (applied: boolean, now: Instant, settled: () => void) => void;
}

/** Rules for one opened letter; undefined = take it without showing it (blocked sender). */
export type LetterRules = (header: LetterHeader, content: Content, way: LetterWay, now: Instant) => Effects | undefined;

/** `dropped`: nothing of it was kept, by the rules. */
export type Taken = 'committed' | 'dropped' | 'unopenable';

/** A letter whose outside is for us, from whom it says. */
export interface OpenedLetter { readonly header: LetterHeader; readonly prekey: PrekeyRow }

export class LetterTaker {
  readonly #context: VisorContext;
  readonly #rules: LetterRules;
  readonly #opener: LetterOpener;

  constructor(context: VisorContext, rules: LetterRules) {
    this.#context = context;
    this.#rules = rules;
    this.#opener = new LetterOpener(context);
  }

  /** Undefined when it cannot be opened, or its sender is not believed. */
  open(header: Uint8Array, now: Instant): OpenedLetter | undefined {
    const opened = this.#opener.open(header, now);
    if (opened === undefined) this.#context.count('inbox.unopenable');
    return opened;
  }

  take({ header, prekey }: OpenedLetter, body: Uint8Array, way: LetterWay, now: Instant, done: (taken: Taken, now: Instant) => void): void {
    const plaintext = openBody(this.#context.crypto, header, body);
    const content = plaintext === undefined ? undefined : decodeContent(plaintext);
    if (content === undefined) { this.#context.count('inbox.unopenable'); done('unopenable', now); return; }
    const effects = this.#rules(header, content, way, now);
    if (effects === undefined) {
      // No dedupe row: a second copy that comes after the sender was unblocked is then shown, and never answered as if it had been. The empty
      // commit keeps the acknowledgement behind the block that it rests on.
      this.#context.commit([], { done: (_applied, at) => { done('dropped', at); } });
      return;
    }
    this.#context.commit(effects.changes, {
      unlessSeen: { sender: header.certificate.identity, messageId: toHex(header.messageId), prekeyId: prekey.prekeyId },
      announce: effects.announce,
      done: (applied, at) => { effects.after(applied, at, () => { done('committed', at); }); },
    });
  }
}
