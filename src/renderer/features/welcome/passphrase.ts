/** Rules for a new passphrase, as a sentence when it does not meet them. */

/** Below this a stolen file can be opened by trying. */
const shortestPassphrase = 8;

export function passphraseProblem(passphrase: string, again: string): string | undefined {
  if (passphrase.length < shortestPassphrase) return `Use at least ${String(shortestPassphrase)} characters. A few random words are easy to remember.`;
  return passphrase === again ? undefined : 'The two passphrases are not the same.';
}
