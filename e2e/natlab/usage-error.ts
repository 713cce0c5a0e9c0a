/** A wrong use of the laboratory: the command line, the topology or a name in it. The command then ends with 2, any other failure with 1. */

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function misuse(sentence: string): never {
  throw new UsageError(sentence);
}
