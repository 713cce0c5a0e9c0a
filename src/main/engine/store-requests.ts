/**
 * What the engine asks of its stores, and who waits for the answers. Requests are answered in order; rows are changed in memory when they are asked for, and what they made durable is told
 * only when the store has answered.
 */
import type { BlobOperation, BlobRequest, BlobResult } from './files/blob-store.ts';
import type { BlobShelfName, EngineChange, EngineOutput } from './engine-types.ts';
import type { MailOperation, MailRequest, MailResults } from './mail/mail-store.ts';
import type { VisorMemory } from './mail/visor-memory.ts';
import type { VisorChange, VisorOperation, VisorRequest, VisorResults } from './mail/visor-store.ts';
import type { CommitOptions } from './visor-context.ts';
import type { Instant } from './wire/types.ts';

export type StoreResult = VisorResults[VisorOperation] | MailResults[MailOperation] | BlobResult;

export class StoreRequests {
  readonly #output: (output: EngineOutput) => void;
  readonly #announce: (changes: readonly EngineChange[]) => void;
  readonly #pending = new Map<number, (result: StoreResult, now: Instant) => void>();
  #nextTicket = 1;

  constructor(output: (output: EngineOutput) => void, announce: (changes: readonly EngineChange[]) => void) {
    this.#output = output;
    this.#announce = announce;
  }

  answered(ticket: number, result: StoreResult, now: Instant): void {
    const done = this.#pending.get(ticket);
    this.#pending.delete(ticket);
    done?.(result, now);
  }

  commit(memory: VisorMemory, changes: readonly VisorChange[], options: CommitOptions = {}): void {
    const undo = options.unlessSeen === undefined ? undefined : memory.applyTentatively(changes);
    if (undo === undefined) for (const change of changes) memory.apply(change);
    const request: VisorRequest = options.unlessSeen === undefined ? { op: 'commit', changes } : { op: 'commit', changes, unlessSeen: options.unlessSeen };
    this.visor(request, (result, now) => {
      if (result.applied) for (const change of changes) memory.committed(change);
      else undo?.();
      if (result.applied && options.announce !== undefined) this.#announce(options.announce);
      options.done?.(result.applied, now);
    });
  }

  visor<Op extends VisorOperation>(request: Extract<VisorRequest, { op: Op }>, done: (result: VisorResults[Op], now: Instant) => void): void {
    const ticket = this.#ticket(done as (result: StoreResult, now: Instant) => void);
    this.#output({ kind: 'store', ticket, store: 'visor', request });
  }

  mail<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>, done: (result: MailResults[Op], now: Instant) => void): void {
    const ticket = this.#ticket(done as (result: StoreResult, now: Instant) => void);
    this.#output({ kind: 'store', ticket, store: 'mail', request });
  }

  blobs<Op extends BlobOperation>(shelf: BlobShelfName, request: Extract<BlobRequest, { op: Op }>, done: (result: BlobResult<Op>, now: Instant) => void): void {
    const ticket = this.#ticket(done as (result: StoreResult, now: Instant) => void);
    this.#output({ kind: 'blobs', ticket, shelf, request });
  }

  /** The host answers each ticket with the result of that very request, so the pairing of request and result type holds. */
  #ticket(done: (result: StoreResult, now: Instant) => void): number {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#pending.set(ticket, done);
    return ticket;
  }
}
