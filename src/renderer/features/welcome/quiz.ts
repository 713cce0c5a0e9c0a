/** Chooses which words are asked back: spread over the list, so that nobody confirms the first line only. Pure; randomness is handed in. */

export const wordsTotal = 24;
const thirds = 3;

/** Three 0-based positions in order, one from each third. `random` gives numbers in [0, 1). */
export function quizPositions(random: () => number): readonly number[] {
  const span = wordsTotal / thirds;
  return Array.from({ length: thirds }, (_, third) => third * span + Math.min(span - 1, Math.floor(random() * span)));
}

/** What is typed counts without case and spaces around it. */
export const normalWord = (word: string): string => word.trim().toLowerCase();
