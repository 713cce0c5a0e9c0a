/**
 * A name that somebody has shown in full. What is cached was asked for by others, and the 16-byte id of a name can be overheard or guessed at from a
 * log; the name itself is known only to those who were told of the content. A value of this class can be made from a full name alone, so a
 * bare id does not fit where one is asked for. Whoever keeps sessions keeps with each of them what it has shown.
 */
export class ShownName {
  readonly #nameId: string;

  private constructor(nameId: string) { this.#nameId = nameId; }

  /** Undefined when the full name is not the one of the id. `idOf` hashes it: BLAKE3 over root, length and groupShift, first 16 bytes, as text. */
  static from<FullName>(claimedId: string, fullName: FullName, idOf: (fullName: FullName) => string): ShownName | undefined {
    return idOf(fullName) === claimedId ? new ShownName(claimedId) : undefined;
  }

  get nameId(): string { return this.#nameId; }

  /** The id, of a value that was made here; for callers that types do not reach. */
  static idOf(shown: ShownName | undefined): string | undefined { return shown !== undefined && #nameId in shown ? shown.#nameId : undefined; }
}
