/** Commands that an engine was given, and who waits for its replies. */
import { WaypostError } from '../../shared/errors.ts';
import type { CommandName, CommandReply, CommandResults, EngineCommand } from '../engine/command-types.ts';

export class WaitingCommands {
  readonly #settle = new Map<number, (reply: CommandReply) => void>();
  #nextTicket = 1;

  /** @throws (the promise) WaypostError with the engine's code */
  wait<Name extends CommandName>(command: Extract<EngineCommand, { name: Name }>, give: (ticket: number, command: EngineCommand) => void): Promise<CommandResults[Name]> {
    return new Promise((resolve, reject) => {
      const ticket = this.#nextTicket;
      this.#nextTicket += 1;
      this.#settle.set(ticket, (reply) => {
        // The engine answers each ticket with the result of the command's own name.
        if (reply.ok) resolve(reply.value as CommandResults[Name]);
        else reject(new WaypostError(reply.code, reply.message));
      });
      give(ticket, command);
    });
  }

  replied(ticket: number, reply: CommandReply): void {
    const settle = this.#settle.get(ticket);
    this.#settle.delete(ticket);
    settle?.(reply);
  }

  /** No engine will answer them any more. */
  rejectAll({ code, message }: WaypostError): void {
    const waiting = [...this.#settle.values()];
    this.#settle.clear();
    for (const settle of waiting) settle({ ok: false, code, message });
  }
}
