/** Tells 24 words from a Skywire secret key in what a person pasted; the checksum is checked where the key is made. */

const wordCount = 24;
const secretKeyPattern = /^[0-9a-f]{64}$/;

export function secretFrom(input: string): { readonly words: string } | { readonly secretKey: string } | undefined {
  const text = input.trim().toLowerCase();
  const hex = text.replace(/^0x/, '');
  if (secretKeyPattern.test(hex)) return { secretKey: hex };
  // Numbered lists are how people write words down.
  const words = text.split(/[\s,;]+/).map((word) => word.replace(/^\d+[.):]?/, '')).filter((word) => word !== '');
  return words.length === wordCount ? { words: words.join(' ') } : undefined;
}
