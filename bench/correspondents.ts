/** People in processes of their own (correspondent.ts), as their driver sees them, and what is told of the letters between them. */
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import path from 'node:path';
import { visorFolder } from './people.ts';
import type { Answer, Ask, Request, Times } from './correspondent.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';

const lastLettersMs = 10_000;
const pollMs = 50;

export class Correspondent {
  readonly name: string;
  /** Where its datagrams come from. */
  readonly port: number;
  readonly process: ChildProcess;
  #nextId = 0;
  readonly #pending = new Map<number, (answer: Answer) => void>();

  private constructor(name: string, port: number, process: ChildProcess) {
    this.name = name;
    this.port = port;
    this.process = process;
    process.on('message', (answer: Answer) => {
      this.#pending.get(answer.id)?.(answer);
      this.#pending.delete(answer.id);
    });
  }

  static start(parent: string, name: string): Promise<Correspondent> {
    const child = fork(path.join(import.meta.dirname, 'correspondent.ts'), [visorFolder(parent, name).directory, name], { execArgv: [] });
    return new Promise((resolve, reject) => {
      child.once('exit', () => { reject(new Error(`${name} ended`)); });
      child.once('message', (message: { readonly port: number }) => { resolve(new Correspondent(name, message.port, child)); });
    });
  }

  async ask(ask: Ask): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = await new Promise<Answer>((resolve) => {
      this.#pending.set(id, resolve);
      this.process.send({ id, ask } satisfies Request);
    });
    if ('error' in answer) throw new Error(`${this.name}, ${ask.ask}: ${answer.error}`);
    return answer.value;
  }

  async text(ask: Ask): Promise<string> { return String(await this.ask(ask)); }

  async times(): Promise<Times> { return await this.ask({ ask: 'times' }) as Times; }

  async join(hint: RelayHint): Promise<void> { await this.ask({ ask: 'join', hint }); }

  /** Resolves with the conversation as this side calls it, when both know each other. */
  async befriend(other: Correspondent): Promise<string> { return this.text({ ask: 'befriend', link: await other.text({ ask: 'invite' }) }); }

  stop(): void { this.process.kill('SIGKILL'); }
}

/** A stretch of time in which letters are written; `hush` ends each. */
export interface Letters { readonly from: Correspondent; readonly to: string; readonly label: string; readonly everyMs: number; readonly sizeBytes: number }

/** One after the other within the first interval: letters that set out together would wait for each other. */
export async function begin(letters: readonly Letters[]): Promise<void> {
  for (const { from, ...rest } of letters) {
    await from.ask({ ask: 'write', ...rest });
    await pause(rest.everyMs / letters.length);
  }
}

export async function hush(letters: readonly Letters[]): Promise<void> {
  await Promise.all(letters.map(({ from, label }) => from.ask({ ask: 'hush', label })));
}

/** Collects what people noted until all letters of these labels have come; milliseconds from commit to arrival, by label. What does not come in time counts as that long. */
export async function delays(people: readonly Correspondent[], labels: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>> {
  const committed = new Map<string, number>();
  const arrived = new Map<string, number>();
  const ours = (key: string): boolean => labels.includes(key.split(' ')[0] ?? '');
  const untilMs = performance.now() + lastLettersMs;
  for (;;) {
    for (const times of await Promise.all(people.map((one) => one.times()))) {
      for (const [key, atMs] of times.committed) if (ours(key)) committed.set(key, atMs);
      for (const [key, atMs] of times.arrived) if (ours(key)) arrived.set(key, atMs);
    }
    if ([...committed.keys()].every((key) => arrived.has(key)) || performance.now() > untilMs) break;
    await pause(pollMs);
  }
  const result = new Map<string, number[]>(labels.map((label) => [label, []]));
  for (const [key, atMs] of committed) result.get(key.split(' ')[0] ?? '')?.push((arrived.get(key) ?? atMs + lastLettersMs) - atMs);
  return result;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);
