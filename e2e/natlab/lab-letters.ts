/** Numbered letters from one visor to another, and what came of them: how many were lost, and how many came more than once. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LabVisor } from './lab-visor.ts';

/** Some twenty are under way while a path changes. */
const everyMs = 100;
const pageSize = 200;
const lookAgainMs = 100;

export interface LetterCount {
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  /** By which the last one went, as the sender knows it. */
  readonly lastPath: string | undefined;
}

export class Letters {
  readonly #from: LabVisor;
  readonly #to: LabVisor;
  #sent = 0;
  #lastId: string | undefined;
  #isOver = false;
  #loop: Promise<void> | undefined;

  constructor(from: LabVisor, to: LabVisor) {
    this.#from = from;
    this.#to = to;
  }

  start(): void {
    this.#loop = this.#send();
  }

  /** Ends the sending and gives what is under way time to arrive. */
  async end(withinMs: number): Promise<LetterCount> {
    this.#isOver = true;
    await this.#loop;
    const untilMs = performance.now() + withinMs;
    let arrived = await this.#arrived();
    while (arrived.size < this.#sent && performance.now() < untilMs) {
      await pause(lookAgainMs);
      arrived = await this.#arrived();
    }
    const doubled = [...arrived.values()].reduce((sum, times) => sum + times - 1, 0);
    return { sent: this.#sent, lost: this.#sent - arrived.size, doubled, lastPath: await this.#lastPath(untilMs) };
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const { id } = await this.#from.client.messages.send({ to: this.#to.publicKey, text: String(this.#sent) });
      this.#lastId = id;
      this.#sent += 1;
      await pause(everyMs);
    }
  }

  /** How often each number came. */
  async #arrived(): Promise<ReadonlyMap<string, number>> {
    const times = new Map<string, number>();
    for (let afterRow = 0; ;) {
      const { messages, nextRow } = await this.#to.client.messages.inbox({ afterRow, limit: pageSize });
      for (const { text, conversationId } of messages) if (conversationId.startsWith(this.#from.publicKey)) times.set(text, (times.get(text) ?? 0) + 1);
      if (messages.length === 0) return times;
      afterRow = nextRow;
    }
  }

  /** The receipt comes a moment after the letter has. */
  async #lastPath(untilMs: number): Promise<string | undefined> {
    for (;;) {
      if (this.#lastId === undefined) return undefined;
      const { hops } = await this.#from.client.messages.hops({ messageId: this.#lastId });
      const path = hops.findLast((hop) => hop.path !== undefined && !hop.future)?.path;
      if (path !== undefined || performance.now() >= untilMs) return path;
      await pause(lookAgainMs);
    }
  }
}
