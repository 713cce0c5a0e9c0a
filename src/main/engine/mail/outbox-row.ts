/** Writing rows of the outbox: each change of a letter goes with its message's facts and log lines in one commit, and is announced after it. */
import type { EngineChange } from '../engine-types.ts';
import type { Recipients } from '../overlay/recipients.ts';
import type { CommitOptions, VisorContext } from '../visor-context.ts';
import type { RelayHint } from '../wire/types.ts';
import type { HopRow, LetterFacts, OutboxRow, VisorChange } from './visor-store.ts';

export class OutboxRows {
  readonly #context: VisorContext;
  readonly #recipients: Recipients;

  constructor(context: VisorContext, recipients: Recipients) {
    this.#context = context;
    this.#recipients = recipients;
  }

  get(id: string): OutboxRow | undefined { return this.#context.memory.outbox.get(id); }
  all(): readonly OutboxRow[] { return [...this.#context.memory.outbox.values()]; }

  update(row: OutboxRow, hops: readonly HopRow[], options: Pick<CommitOptions, 'done'> = {}): void {
    const changes: VisorChange[] = [{ kind: 'put-outbox', row }];
    const announce: EngineChange[] = [{ kind: 'outbox', messageId: row.id }];
    this.#message(row, row.facts, hops, changes, announce);
    this.#context.commit(changes, { ...options, announce });
  }

  /** The last facts go to the message; the row is gone. */
  remove(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], options: Pick<CommitOptions, 'done'> = {}): void {
    const changes: VisorChange[] = [{ kind: 'delete-outbox', id: row.id }];
    const announce: EngineChange[] = [{ kind: 'outbox-removed', messageId: row.id }];
    this.#message(row, facts, hops, changes, announce);
    this.#context.commit(changes, { ...options, announce });
  }

  /** Something that is not kept changed: whether it is being sent right now. */
  announce(row: OutboxRow): void {
    this.#context.announce({ kind: 'outbox', messageId: row.id }, { kind: 'message', messageId: row.id, conversationId: conversationOf(row) });
  }

  /** Where its copies may lie and may be laid: the recipient's relays by their record, then those that they were added by, then those of friends. */
  hints(row: OutboxRow): readonly RelayHint[] {
    const contact = this.#context.memory.contacts.get(row.recipient);
    return [...(this.#recipients.known(row.recipient)?.relays ?? []), ...(contact?.relays ?? []), ...this.#recipients.friends.all];
  }

  goesTo(row: OutboxRow, relay: string): boolean { return this.hints(row).some((hint) => hint.publicKey === relay); }

  #message(row: OutboxRow, facts: LetterFacts, hops: readonly HopRow[], changes: VisorChange[], announce: EngineChange[]): void {
    if (row.kind !== 'message') return;
    changes.push({ kind: 'set-facts', messageId: row.id, facts });
    for (const hop of hops) changes.push({ kind: 'add-hop', messageId: row.id, hop });
    announce.push({ kind: 'message', messageId: row.id, conversationId: conversationOf(row) });
  }
}

const conversationOf = (row: OutboxRow): string => `${row.recipient}:${String(row.destinationPort)}`;
