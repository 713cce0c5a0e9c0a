/**
 * One download: which fragments are here, asked for, or still to ask for. Pure bookkeeping; `puller.ts` decides when to ask and how much
 * of the session's window this download gets. A fragment is kept as it came: room is taken by what has arrived, never by what was announced.
 */
import { concatBytes } from '../wire/bytes.ts';
import { fragmentBytes } from '../wire/frame.ts';
import { bitmapOf, pullCountMaximum } from '../wire/verbs.ts';
import type { ContentName, Instant, RequestBody } from '../wire/types.ts';
import type { SessionId } from '../session/types.ts';
import type { PullOutcome } from './types.ts';

export type PullDone = (outcome: PullOutcome, now: Instant) => void;

export class Pull {
  readonly key: string;
  readonly sessionId: SessionId;
  readonly name: ContentName;
  readonly requestId: Uint8Array;
  readonly callbacks: PullDone[];
  readonly fragmentCount: number;
  readonly #fragments = new Map<number, Uint8Array>();
  readonly #outstanding = new Set<number>();
  /** Asked for once and presumed lost. */
  readonly #again = new Set<number>();
  #firstUnasked = 0;
  timeoutMs = 0;
  /** Last request or fragment of this download. */
  activeMs = 0;
  startedMs = 0;
  /** The holder asked for patience; nothing is asked before. */
  heldUntilMs = 0;

  constructor(key: string, sessionId: SessionId, name: ContentName, requestId: Uint8Array, done: PullDone) {
    this.key = key;
    this.sessionId = sessionId;
    this.name = name;
    this.requestId = requestId;
    this.callbacks = [done];
    this.fragmentCount = Math.ceil(name.length / fragmentBytes);
  }

  get outstanding(): number { return this.#outstanding.size; }
  get complete(): boolean { return this.#fragments.size === this.fragmentCount; }
  get needed(): number { return this.#again.size + this.fragmentCount - this.#firstUnasked; }

  /** The next request, for at most `room` fragments, which count as outstanding from now on; undefined when nothing is left to ask for. */
  ask(room: number): Extract<RequestBody, { verb: 'pull' }> | undefined {
    const first = Math.min(this.#firstUnasked, ...this.#again);
    if (first >= this.fragmentCount || room <= 0) return undefined;
    const wanted: number[] = [];
    for (let number = first; number < this.fragmentCount && number < first + pullCountMaximum && wanted.length < room; number += 1) {
      if (number >= this.#firstUnasked || this.#again.has(number)) wanted.push(number);
    }
    for (const number of wanted) {
      this.#again.delete(number);
      this.#outstanding.add(number);
      this.#firstUnasked = Math.max(this.#firstUnasked, number + 1);
    }
    const count = (wanted.at(-1) ?? first) - first + 1;
    return { verb: 'pull', name: this.name, first, count, bitmap: bitmapOf(wanted.map((number) => number - first)) };
  }

  /** `bad`: a number or length that the name rules out. A late fragment that was presumed lost is as good as any. */
  take(number: number, payload: Uint8Array): 'taken' | 'duplicate' | 'bad' {
    if (number >= this.fragmentCount || payload.length !== Math.min(fragmentBytes, this.name.length - number * fragmentBytes)) return 'bad';
    if (number >= this.#firstUnasked) return 'bad';
    if (this.#fragments.has(number)) return 'duplicate';
    this.#fragments.set(number, payload.slice());
    this.#outstanding.delete(number);
    this.#again.delete(number);
    return 'taken';
  }

  /** Everything under way counts as lost and will be asked for again. */
  presumeLost(): number {
    const lost = this.#outstanding.size;
    for (const number of this.#outstanding) this.#again.add(number);
    this.#outstanding.clear();
    return lost;
  }

  assemble(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let number = 0; number < this.fragmentCount; number += 1) parts.push(this.#fragments.get(number) ?? new Uint8Array(0));
    return concatBytes(...parts);
  }
}
