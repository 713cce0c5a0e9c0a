/** Starts the processes of one attempt inside of the laboratory's hosts, reads what they say, and ends them all. */
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import type { Lab } from '../../e2e/natlab/lab.ts';
import type { Line } from './one.ts';

const program = path.join(import.meta.dirname, 'one.ts');
const linePattern = /^\{"(ready|first|direct|proved|error)":/;
/** Loading, binding and joining a network of a few nodes, on a machine that does other work. */
export const readyWithinMs = 60_000;
const errorTailCharacters = 400;

export class Process {
  readonly #what: string;
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  #errors = '';
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(lab: Lab, host: string, words: readonly string[]) {
    this.#what = words.slice(0, 2).join(' ');
    this.#child = lab.start(host, process.execPath, [program, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => undefined);
    // Libraries may print as well.
    if (stdout !== null) createInterface({ input: stdout }).on('line', (text) => { if (linePattern.test(text)) { this.#lines.push(JSON.parse(text) as Line); this.#wake?.(); } });
    stderr?.on('data', (chunk: Buffer) => { this.#errors = (this.#errors + chunk.toString()).slice(-errorTailCharacters); });
    this.#child.once('error', (error) => { this.#errors += error.message; this.#isClosed = true; this.#wake?.(); });
    this.#child.once('close', () => { this.#isClosed = true; this.#wake?.(); });
  }

  tell(word: 'dial' | 'prove'): void { this.#child.stdin?.write(`${word}\n`); }

  /** The next line; undefined: none came. @throws Error if the process has ended, with what it said. */
  async next(withinMs: number): Promise<Line | undefined> {
    const deadlineMs = Date.now() + withinMs;
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#isClosed) throw new Error(`"${this.#what}" ended early. It said: ${this.#errors.trim()}`);
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  }

  /** What it says when it is ready. @throws Error */
  async ready(): Promise<string> {
    const line = await this.next(readyWithinMs);
    if (line !== undefined && 'ready' in line) return line.ready;
    throw new Error(line !== undefined && 'error' in line ? `${this.#what}: ${line.error}` : `"${this.#what}" was not ready within ${readyWithinMs / 1_000} s. It said: ${this.#errors.trim()}`);
  }

  stop(): void { this.#child.kill('SIGKILL'); }
}
