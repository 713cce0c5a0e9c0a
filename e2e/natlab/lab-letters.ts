/** Numbered letters from one visor to another, and what came of them: how many were lost, how many came more than once, and when each was there. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FileView } from '../../src/shared/file-views.ts';
import type { LabVisor } from './lab-visor.ts';

/** Some twenty are under way while a path changes. */
const everyMs = 100;
const pageSize = 200;
const lookAgainMs = 100;
/** Others may be written besides. */
const numberPattern = /^\d+( |$)/;

export interface LetterCount {
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  /** By which the last one went, as the sender knows it. */
  readonly lastPath: string | undefined;
}

/** By the clock of day, which all processes of a laboratory share. */
export interface Arrival { readonly sentAtMs: number; readonly receivedAtMs: number }

export class Letters {
  #from: LabVisor;
  #to: LabVisor;
  readonly #fillerCharacters: number;
  readonly #sentAtMs: number[] = [];
  readonly #fileIds: string[] = [];
  /** Of each number, when it came; more than once if it was doubled. */
  readonly #came = new Map<number, number[]>();
  #readRow = 0;
  #lastId: string | undefined;
  #isOver = false;
  #loop: Promise<void> | undefined;

  /** @param fillerCharacters behind the number, for letters that fill several datagrams. */
  constructor(from: LabVisor, to: LabVisor, fillerCharacters = 0) {
    this.#from = from;
    this.#to = to;
    this.#fillerCharacters = fillerCharacters;
  }

  get sent(): number { return this.#sentAtMs.length; }

  /** How many were written from then on, by the clock of day. */
  sentSince(sinceMs: number): number { return this.#sentAtMs.filter((sentAtMs) => sentAtMs >= sinceMs).length; }

  start(): void {
    this.#isOver = false;
    this.#loop = this.#send();
    // Whoever ends the sending hears of it; nobody may be left to.
    this.#loop.catch(() => undefined);
  }

  /** Ends the sending: all that was begun is kept by the sender when this resolves. */
  async pause(): Promise<void> {
    this.#isOver = true;
    await this.#loop;
  }

  /** The one they are for was started anew. */
  arriveAt(to: LabVisor): void { this.#to = to; }

  /** The one who writes them was. */
  comeFrom(from: LabVisor): void { this.#from = from; }

  /** Ends the sending and gives what is under way time to arrive. */
  async end(withinMs: number): Promise<LetterCount> {
    await this.pause();
    const untilMs = performance.now() + withinMs;
    await this.#read();
    while (this.#came.size < this.sent && performance.now() < untilMs) {
      await pause(lookAgainMs);
      await this.#read();
    }
    const doubled = [...this.#came.values()].reduce((sum, times) => sum + times.length - 1, 0);
    return { sent: this.sent, lost: this.sent - this.#came.size, doubled, lastPath: await this.#lastPath(untilMs) };
  }

  /** The first arrivals of all that came until now, in the order of sending. */
  async arrivals(): Promise<readonly Arrival[]> {
    await this.#read();
    return this.#sentAtMs.flatMap((sentAtMs, number) => {
      const times = this.#came.get(number);
      return times === undefined ? [] : [{ sentAtMs, receivedAtMs: Math.min(...times) }];
    });
  }

  /** What files came with letters of the same person, as they are now. */
  async files(): Promise<readonly FileView[]> {
    await this.#read();
    const messages = await Promise.all(this.#fileIds.map((messageId) => this.#to.client.messages.get({ messageId })));
    return messages.flatMap(({ file }) => (file === undefined ? [] : [file]));
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const sentAtMs = Date.now();
      const { id } = await this.#from.client.messages.send({ to: this.#to.publicKey, text: `${String(this.sent)} ${'.'.repeat(this.#fillerCharacters)}`.trim() });
      this.#lastId = id;
      this.#sentAtMs.push(sentAtMs);
      await pause(everyMs);
    }
  }

  /** What came since it was read last. */
  async #read(): Promise<void> {
    for (;;) {
      const { messages, nextRow } = await this.#to.client.messages.inbox({ afterRow: this.#readRow, limit: pageSize });
      if (messages.length === 0) return;
      this.#readRow = nextRow;
      for (const { id, text, conversationId, receivedAtMs, file } of messages) {
        if (!conversationId.startsWith(this.#from.publicKey)) continue;
        if (file !== undefined) { this.#fileIds.push(id); continue; }
        if (!numberPattern.test(text)) continue;
        const number = Number.parseInt(text, 10);
        this.#came.set(number, [...this.#came.get(number) ?? [], receivedAtMs ?? Date.now()]);
      }
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
