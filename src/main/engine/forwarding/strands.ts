/** Gathers items that nobody is going to answer into what can be asked for together: of one name and kind, from one request. */
import type { AwaitedItem } from './awaited-item.ts';
import type { SessionId } from '../session/types.ts';
import type { ItemKind, Stranded } from './types.ts';

/** Sessions that wait and are named as not to be asked; asking another that waits costs a refusal. */
const waitersNamedMaximum = 16;

interface Strand {
  readonly nameId: string;
  readonly kind: ItemKind;
  readonly items: number[];
  readonly nonce: string;
  readonly hopLimit: number;
  tries: number;
  readonly except: SessionId[];
}

export class Strands {
  readonly #byKey = new Map<string, Strand>();

  get all(): readonly Stranded[] { return [...this.#byKey.values()]; }

  add(item: AwaitedItem): void {
    const { nameId, kind, nonce, hopLimit } = item;
    const key = `${nameId}/${kind}/${nonce}/${String(hopLimit)}`;
    const strand: Strand = this.#byKey.get(key) ?? { nameId, kind, items: [], nonce, hopLimit, tries: 0, except: [] };
    this.#byKey.set(key, strand);
    strand.items.push(item.number);
    strand.tries = Math.max(strand.tries, item.asked.length);
    for (const { session } of item.asked) if (!strand.except.includes(session)) strand.except.push(session);
    for (let link = item.waiters.first; link !== undefined && strand.except.length < waitersNamedMaximum; link = link.next) {
      const { session } = link.value.requester;
      if (!strand.except.includes(session)) strand.except.push(session);
    }
  }
}
