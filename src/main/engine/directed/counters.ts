/** Named counts of what was dropped, refused or repeated: how one sees from outside that a bound is hit. */
export class Counters {
  readonly #counts: Record<string, number> = {};

  /** Live view, for diagnostics. */
  get all(): Readonly<Record<string, number>> { return this.#counts; }

  count(name: string, by = 1): void { this.#counts[name] = (this.#counts[name] ?? 0) + by; }
}
