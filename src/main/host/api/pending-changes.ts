/** What changed since the last patch, by name, until it is read anew. */
import type { EngineChange } from '../../engine/engine-types.ts';

export type Part = 'connection' | 'identity' | 'settings' | 'notices' | 'network' | 'echo' | 'carrying' | 'everything';

export interface ChangedNames {
  readonly parts: ReadonlySet<Part>;
  readonly messages: ReadonlySet<string>;
  readonly conversations: ReadonlySet<string>;
  readonly outbox: ReadonlySet<string>;
  readonly relays: ReadonlySet<string>;
}

export class PendingChanges {
  #parts = new Set<Part>();
  #messages = new Set<string>();
  #conversations = new Set<string>();
  #outbox = new Set<string>();
  #relays = new Set<string>();

  hasAny(): boolean { return this.#parts.size + this.#messages.size + this.#conversations.size + this.#outbox.size + this.#relays.size > 0; }

  add(change: EngineChange): void {
    switch (change.kind) {
      case 'message': this.#messages.add(change.messageId); this.#conversations.add(change.conversationId); break;
      case 'conversation': this.#conversations.add(change.conversationId); break;
      case 'outbox': case 'outbox-removed': this.#outbox.add(change.messageId); break;
      case 'relay': case 'relay-removed': this.#relays.add(change.publicKey); break;
      case 'connection': case 'identity': case 'settings': case 'notices': case 'network': this.#parts.add(change.kind); break;
    }
  }

  addPart(part: Part): void { this.#parts.add(part); }

  /** Nothing is known to be shown as it is; messages are in no view, so each of them is named again. */
  addEverything(messages: ReadonlySet<string>): void {
    this.#parts.add('everything');
    for (const id of messages) this.#messages.add(id);
  }

  /** They are pending no more. */
  take(): ChangedNames {
    const taken: ChangedNames = { parts: this.#parts, messages: this.#messages, conversations: this.#conversations, outbox: this.#outbox, relays: this.#relays };
    this.#parts = new Set();
    this.#messages = new Set();
    this.#conversations = new Set();
    this.#outbox = new Set();
    this.#relays = new Set();
    return taken;
  }
}
