/** `--name value` pairs of the scripts, as whole numbers or text. */

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Options by name without the dashes. @throws UsageError for one that is not known or has no value. */
export function parseOptions(commandLine: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (let index = 0; index < commandLine.length; index += 2) {
    const name = commandLine[index]?.replace(/^--/, '') ?? '';
    const value = commandLine[index + 1];
    if (!known.includes(name)) throw new UsageError(`There is no option ${commandLine[index] ?? ''}. Known: ${known.map((one) => `--${one}`).join(', ')}.`);
    if (value === undefined) throw new UsageError(`--${name} takes a value.`);
    options.set(name, value);
  }
  return options;
}

/** @throws UsageError when it is not a whole number of at least 1. */
export function countOption(options: ReadonlyMap<string, string>, name: string, otherwise: number): number {
  const text = options.get(name);
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new UsageError(`--${name} takes a whole number of at least 1.`);
  return count;
}
