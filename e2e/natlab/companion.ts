/**
 * A program of the laboratory's own that runs beside it, in one of its namespaces: a link emulator, the translator, a portal. It is started with a configuration and
 * the file for its number, says that it has read the configuration by the file `.ack`, and reads it again on SIGHUP.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { signalProcess, until } from './system.ts';
import { writeWhole, type Places } from './record.ts';

export class Companion {
  readonly #namespace: string;
  readonly #program: string;
  readonly #configuration: string;
  readonly #pid: string;
  readonly #log: string;

  /** @param name of its files in the laboratory's folder. */
  constructor(places: Places, namespace: string, program: string, name: string) {
    this.#namespace = namespace;
    this.#program = program;
    this.#configuration = places.file(`${name}.json`);
    this.#pid = places.file(`${name}.pid`);
    this.#log = places.file(`${name}.log`);
  }

  get #acknowledged(): string { return `${this.#configuration}.ack`; }
  get countsFile(): string { return `${this.#configuration}.stats`; }
  get isRunning(): boolean { return this.#process() !== undefined; }

  write(configuration: unknown): void { writeWhole(this.#configuration, configuration); }

  async start(): Promise<void> {
    for (const file of [this.#pid, this.#acknowledged]) rmSync(file, { force: true });
    const log = openSync(this.#log, 'w');
    const words = ['netns', 'exec', this.#namespace, process.execPath, this.#program, this.#configuration, this.#pid];
    const child = spawn('ip', words, { detached: true, stdio: ['ignore', log, log] });
    child.unref();
    closeSync(log);
    await until(`${this.#program} to start (its log is ${this.#log})`, () => this.isRunning && existsSync(this.#acknowledged));
  }

  async reread(): Promise<void> {
    const pid = this.#process();
    if (pid === undefined) throw new Error(`${this.#program} has ended (its log is ${this.#log})`);
    rmSync(this.#acknowledged, { force: true });
    process.kill(pid, 'SIGHUP');
    await until(`${this.#program} to take the new settings`, () => existsSync(this.#acknowledged));
  }

  end(): void {
    const pid = this.#process();
    if (pid !== undefined) signalProcess(pid, 'SIGTERM');
    for (const file of [this.#configuration, this.#pid, this.#acknowledged, this.countsFile]) rmSync(file, { force: true });
  }

  /** A number alone could be another program's by now. */
  #process(): number | undefined {
    try {
      const pid = Number(readFileSync(this.#pid, 'utf8'));
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return commandLine.includes(this.#program) && commandLine.includes(this.#configuration) ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}
