/**
 * What happens in one round: what is written and who is killed when. Pure and seeded, so that a round that found something can be played again;
 * the operating system's own timing is the only thing that differs then.
 *
 * Kills follow events rather than the clock alone, because the moments that matter are short: after the sender was told that its message is safe,
 * after a relay was believed to hold it, after the recipient was shown it. From each of them a kill strikes within some milliseconds.
 */
import type { SeededRandom } from '../../sim/random.ts';

export const actorNames = ['relay', 'sender', 'recipient'] as const;
export type ActorName = (typeof actorNames)[number];

export const momentKinds = ['acknowledged', 'stored', 'shown'] as const;
export type MomentKind = (typeof momentKinds)[number];

export interface PlannedMessage {
  readonly sizeBytes: number;
  /** Pause before it is written. */
  readonly pauseMs: number;
}

export interface PlannedKill {
  readonly who: ActorName;
  /** The n-th such moment of the round, or the start of the round. */
  readonly after: { readonly kind: MomentKind; readonly count: number } | { readonly kind: 'start' };
  readonly delayMs: number;
  readonly downMs: number;
  /** Killed once more this long after it was started again; undefined: left alone. */
  readonly againMs: number | undefined;
}

export interface Round {
  readonly messages: readonly PlannedMessage[];
  /** Written without waiting for each other: a batch is being committed when the first of them is acknowledged. */
  readonly together: boolean;
  readonly kills: readonly PlannedKill[];
}

const messagesMaximum = 6;
/** Within these all body sizes of letters occur, and fragments that are pulled. */
const sizeMinimumBytes = 24;
const sizeMaximumBytes = 60_000;
/** Commit, deposit, notice, fetch and acknowledgement each take a few milliseconds on an idle machine. */
const closeDelayMs = 25;
const startDelayMs = 500;
const startupMs = 600;

export function planRound(random: SeededRandom): Round {
  const messages = Array.from({ length: random.integer(2, messagesMaximum) }, () => ({
    sizeBytes: Math.round(random.logarithmic(sizeMinimumBytes, sizeMaximumBytes)),
    pauseMs: random.chance(0.5) ? 0 : random.between(0, 150),
  }));
  const victims = random.shuffled(actorNames).slice(0, random.pick([1, 1, 2, 2, 3]) ?? 1);
  const kills = victims.map((who): PlannedKill => ({
    who,
    ...whenOf(random, who, messages.length),
    downMs: random.chance(0.5) ? 0 : random.between(0, 250),
    againMs: random.chance(0.15) ? random.between(0, startupMs) : undefined,
  }));
  return { messages, together: random.chance(0.4), kills };
}

/** Each has a moment of its own after which it must have kept its word; half of the kills are aimed at that. */
const ownMoments: Readonly<Record<ActorName, MomentKind>> = { sender: 'acknowledged', relay: 'stored', recipient: 'shown' };

function whenOf(random: SeededRandom, who: ActorName, messages: number): Pick<PlannedKill, 'after' | 'delayMs'> {
  if (random.chance(0.5)) return { after: { kind: ownMoments[who], count: random.integer(1, messages) }, delayMs: 0 };
  const kind = random.pick(momentKinds);
  if (kind === undefined || random.chance(0.2)) return { after: { kind: 'start' }, delayMs: random.between(0, startDelayMs) };
  return { after: { kind, count: random.integer(1, messages) }, delayMs: random.chance(0.4) ? 0 : random.between(0, closeDelayMs) };
}

/** Characters of one to four bytes in UTF-8. */
const alphabet = Array.from('abcdefghijklmnopqrstuvwxyz \u00e4\u20ac\u{1f642}', (letter) => ({ letter, sizeBytes: new TextEncoder().encode(letter).length }));

/** A text of about `sizeBytes` bytes that no other message has. */
export function textOf(random: SeededRandom, round: number, number: number, sizeBytes: number): string {
  const parts = [`round ${round} message ${number} `];
  for (let length = parts.join('').length; length < sizeBytes;) {
    const drawn = random.pick(alphabet);
    if (drawn === undefined) break;
    parts.push(drawn.letter);
    length += drawn.sizeBytes;
  }
  // A full stop at the end, because spaces there might be taken off.
  return `${parts.join('')}.`;
}
