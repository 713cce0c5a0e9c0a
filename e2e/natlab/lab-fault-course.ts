/** What a fault of the fault table says of itself: when it was there, and what shows that it was. */

/** Something that is so only if the fault was there. */
export interface Evidence { readonly text: string; readonly holds: boolean }

export interface FaultCourse {
  /** When the fault was complete, and when it was over, by the clock of day; undefined: it stays. */
  readonly beganAtMs: number;
  readonly healedAtMs?: number;
  /** What is written meanwhile cannot come meanwhile. */
  readonly dark?: { readonly fromMs: number; readonly untilMs: number };
  /** Asked for when the letters are at their end. */
  readonly evidence: () => readonly Evidence[] | Promise<readonly Evidence[]>;
}

export const packets = (count: number, what: string): Evidence => ({ text: `${String(count)} ${what}`, holds: count > 0 });
