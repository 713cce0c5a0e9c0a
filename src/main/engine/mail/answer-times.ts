/**
 * How long a recipient who is here takes to say that a short letter is on their disk: a round trip and a commit. From this follows how long a letter waits for that word before
 * relays get copies of it as well. Waiting longer than usual helps nobody: when a path has died, letters are late by just this; a copy too many costs a relay little.
 */
import type { PublicKeyHex } from '../wire/types.ts';

/** While nothing is known of them, and at most. */
export const headStartMaximumMs = 1_500;
/** A disk that was asleep, or a machine that is busy for once, is no reason for copies. */
export const headStartMinimumMs = 400;
/** Of the slowest lately: a lost packet that is sent again fits in. */
const slowestShare = 3;
/** With each answer an old slow one counts less. */
const fading = 0.9;

export class AnswerTimes {
  readonly #slowestMs = new Map<PublicKeyHex, number>();

  answered(recipient: PublicKeyHex, tookMs: number): void { this.#slowestMs.set(recipient, Math.max(tookMs, (this.#slowestMs.get(recipient) ?? 0) * fading)); }
  /** Their session has ended: the next one may go another way. */
  forget(recipient: PublicKeyHex): void { this.#slowestMs.delete(recipient); }

  headStartMs(recipient: PublicKeyHex): number {
    const slowestMs = this.#slowestMs.get(recipient);
    return slowestMs === undefined ? headStartMaximumMs : Math.min(headStartMaximumMs, Math.max(headStartMinimumMs, slowestMs * slowestShare));
  }
}
