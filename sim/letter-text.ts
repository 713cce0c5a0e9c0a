/** Texts of simulated letters: each begins with a token of its own and repeats it, so that any piece of it gives the letter away. */
import type { SeededRandom } from './random.ts';

/** Nothing else in the world contains this; a random match has probability 2^-80 per position. */
export const secretMark = 'wp-secret-';
const tokenPattern = /^wp-secret-[0-9]{5}-[0-9a-f]{8}/;

export function createToken(number: number, random: SeededRandom): string {
  return `${secretMark}${String(number).padStart(5, '0')}-${random.u32().toString(16).padStart(8, '0')}`;
}

export function textOf(token: string, sizeBytes: number): string {
  const repeated = `${token} `;
  return repeated.repeat(Math.ceil(Math.max(sizeBytes, token.length) / repeated.length)).slice(0, Math.max(sizeBytes, token.length));
}

/** The name of a file gives away no more than its content. */
export const fileNameOf = (token: string): string => `${token}.bin`;
export const fileTokenOf = (name: string): string | undefined => (name.endsWith('.bin') ? tokenOf(name) : undefined);

export function tokenOf(text: string): string | undefined { return tokenPattern.exec(text)?.[0]; }
