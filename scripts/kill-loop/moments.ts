/** Counts what happened since a round began, and wakes who waits for the n-th time of something. */
import type { MomentKind } from './plan.ts';

export class Moments {
  readonly #counts = new Map<MomentKind, number>();
  readonly #waiting: { readonly kind: MomentKind; readonly count: number; readonly resolve: () => void }[] = [];

  note(kind: MomentKind): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    for (const one of this.#waiting) if (one.kind === kind && one.count === count) one.resolve();
  }

  /** Resolves at the n-th, or after `patienceMs`: a kill that waits for what another kill prevented strikes all the same. */
  async reached(kind: MomentKind, count: number, patienceMs: number): Promise<void> {
    if ((this.#counts.get(kind) ?? 0) >= count) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#waiting.push({ kind, count, resolve: () => { clearTimeout(timer); resolve(); } });
    });
  }
}
