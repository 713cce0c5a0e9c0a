/** What must hold in every world, by name, and the list of what did not. Each invariant is explained where it is checked. */
export const invariants = [
  'acknowledged-means-durable', 'no-acknowledged-letter-lost', 'shown-at-most-once', 'headline-never-goes-backwards', 'delivered-means-committed',
  'stored-means-committed', 'facts-agree', 'contacts-agree', 'ttl-honoured', 'hops-in-order', 'shown-in-order', 'blocked-is-not-shown', 'within-quota', 'retry-is-scheduled',
  'file-was-sent', 'file-is-whole', 'one-file-per-message', 'file-ends-once', 'ready-means-there', 'file-arrives', 'held-is-waited-for', 'rests-are-removed',
  'published-means-durable', 'fetched-was-published', 'fetched-is-whole', 'name-never-goes-back', 'name-arrives', 'fetch-fails-honestly', 'fetch-ends', 'names-are-bounded', 'names-leave-no-rests',
  'honest-relay-is-believed',
  'no-plaintext', 'datagram-size', 'engine-never-throws', 'store-accepts-all', 'timer-does-not-spin',
] as const;
export type Invariant = (typeof invariants)[number];

export interface Violation { readonly invariant: Invariant; readonly atMs: number; readonly text: string }

/** More of one kind say nothing new. */
const perInvariantMaximum = 5;

export class Violations {
  readonly #nowMs: () => number;
  readonly #onViolation: (violation: Violation) => void;
  readonly all: Violation[] = [];

  constructor(nowMs: () => number, onViolation: (violation: Violation) => void = () => undefined) {
    this.#nowMs = nowMs;
    this.#onViolation = onViolation;
  }

  get nowMs(): number { return this.#nowMs(); }

  report(invariant: Invariant, text: string): void {
    if (this.all.filter((one) => one.invariant === invariant).length >= perInvariantMaximum) return;
    const violation = { invariant, atMs: this.#nowMs(), text };
    this.all.push(violation);
    this.#onViolation(violation);
  }

  require(holds: boolean, invariant: Invariant, text: () => string): void {
    if (!holds) this.report(invariant, text());
  }
}
