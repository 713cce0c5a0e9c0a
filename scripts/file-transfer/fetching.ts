/** `waypost get` beside a visor that may be killed: each try is a process of its own, and all of them tell one progress. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { fileSchema, type FileView } from '../../src/shared/file-views.ts';
import { until, within } from '../processes/waiting.ts';
import { WaypostProcess } from '../processes/waypost-process.ts';
import { Progress } from './progress.ts';
import type { Actor } from './world.ts';

const progressLine = z.object({ progress: z.object({ file: fileSchema }) });
const lookMs = 100;

export const doneBytesOf = ({ state, sizeBytes }: FileView): number => {
  switch (state.state) {
    case 'moving': case 'waiting': return state.doneBytes;
    case 'ready': return sizeBytes;
    case 'failed': return 0;
  }
};

export class Fetching {
  readonly progress = new Progress();
  readonly #person: Actor;
  readonly #messageId: string;
  readonly #target: string;
  #process: WaypostProcess | undefined;
  #notes = 0;
  #code: number | undefined;

  constructor(person: Actor, messageId: string, target: string) {
    this.#person = person;
    this.#messageId = messageId;
    this.#target = target;
  }

  /** Once at the beginning, and again whenever the visor was started again. */
  start(): void {
    this.#notes = 0;
    const process = new WaypostProcess(this.#person.directory, ['get', this.#messageId, '--output', this.#target, '--json'], (line) => {
      const parsed = progressLine.safeParse(parse(line));
      if (!parsed.success) return;
      const { state } = parsed.data.progress.file;
      if (globalThis.process.env['WAYPOST_DEBUG'] !== undefined) console.error(`${(performance.now() / 1_000).toFixed(1)} get: ${JSON.stringify(state)}`);
      this.#notes += 1;
      this.progress.note(doneBytesOf(parsed.data.progress.file), performance.now());
    });
    this.#process = process;
    void process.ended.then(({ code }) => { if (this.#process === process) this.#code = code; });
  }

  /** Or all of it was fetched before that was seen. @throws DeadlineError, and Error when it ends before. */
  async reached(bytes: number, deadlineMs: number): Promise<void> {
    await until(`${bytes} bytes fetched (${this.progress.bytes} so far)`, deadlineMs, () => {
      if (this.#notes > 0 && this.progress.bytes >= bytes) return true;
      if (this.#code === 0) return true;
      if (this.#process?.isRunning === false) throw new Error(`waypost get ended early: ${this.#process.errorText.trim()}`);
      return undefined;
    });
  }

  /** The exit code of the try under way. */
  async ended(deadlineMs: number): Promise<number | undefined> {
    if (this.#process === undefined) return undefined;
    return (await within(deadlineMs, `waypost get (${this.progress.bytes} bytes so far)`, this.#process.ended)).code;
  }
}

/** Follows how much of an outgoing file its relay has, until `over`; a sender that is down is not asked. */
export async function followHeld(person: Actor, messageId: string, progress: Progress, deadlineMs: number, isOver: (file: FileView) => boolean): Promise<void> {
  await until(`the file held (${progress.bytes} bytes so far)`, deadlineMs, async () => {
    if (!person.isUp) { await pause(lookMs); return undefined; }
    const { file } = await person.client.messages.get({ messageId }).catch(() => ({ file: undefined }));
    if (file === undefined) return undefined;
    if (file.holders.length > 0) progress.note(Math.max(...file.holders.map(({ heldBytes }) => heldBytes)), performance.now());
    if (isOver(file)) return true;
    await pause(lookMs);
    return undefined;
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
