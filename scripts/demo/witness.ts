/** Follows what a running visor says about its own messages and keeps every state that each of them was seen in. */
import type { Headline, MessageView } from '../../src/shared/views.ts';
import type { Connection } from '../processes/waypost-process.ts';

export type State = Headline['state'];

/** The way forward; everything else is an end that the story does not expect. */
const order: readonly State[] = ['queued', 'sending', 'stored', 'delivered', 'read'];

export class Witness {
  readonly #states = new Map<string, State[]>();
  readonly #onState: (message: MessageView) => void;

  constructor(onState: (message: MessageView) => void) {
    this.#onState = onState;
  }

  /** From now on until the connection ends. */
  async follow({ client }: Connection): Promise<void> {
    client.state.onPatch((patch) => {
      for (const change of patch.changes) if (change.kind === 'message') this.note(change.value);
    });
    // Patches begin with the first snapshot.
    await client.state.snapshot();
  }

  /** Answers and patches travel separately, so an older state may come after a newer one: only what is new counts. */
  note(message: MessageView): void {
    if (message.direction !== 'out') return;
    const states = this.#states.get(message.id) ?? [];
    this.#states.set(message.id, states);
    const { state } = message.headline;
    const last = states.at(-1);
    if (last === state || (last !== undefined && order.includes(state) && order.indexOf(state) < order.indexOf(last))) return;
    states.push(state);
    this.#onState(message);
  }

  statesOf(messageId: string): readonly State[] { return this.#states.get(messageId) ?? []; }

  hasReached(messageId: string, state: State): boolean { return this.statesOf(messageId).includes(state); }

  sawInOrder(messageId: string, earlier: State, later: State): boolean {
    const states = this.statesOf(messageId);
    const first = states.indexOf(earlier);
    return first !== -1 && states.indexOf(later) > first;
  }
}
