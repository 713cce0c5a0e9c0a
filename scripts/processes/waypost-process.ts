/**
 * The command line of Waypost as real processes: started, read line by line, ended gently or by `kill -9`. Every process that was started is
 * remembered, so that a script that fails leaves none behind.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connectControlSocket } from '../../src/main/host/control-client.ts';
import { profileAt } from '../../src/main/host/profile.ts';
import type { Client } from '../../src/shared/contract.ts';
import { createClient } from '../../src/shared/transport.ts';
import { projectRoot } from '../project.ts';
import { until, within } from './waiting.ts';

const entryFile = path.join(projectRoot, 'src/main/cli/index.ts');
/** A cold start takes half a second; a machine that does ten other things takes longer. */
const startDeadlineMs = 30_000;
/** A clean stop commits what is under way. */
const stopDeadlineMs = 15_000;
const errorTextMaximumCharacters = 4_000;

const running = new Set<WaypostProcess>();

// Also where a script breaks at a place that nothing catches.
process.once('exit', () => { for (const one of running) one.kill(); });

export interface ProcessEnd {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** A connection to the local API of a running process. */
export interface Connection {
  readonly client: Client;
  readonly closed: Promise<void>;
  close(): void;
}

export class WaypostProcess {
  readonly directory: string;
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #errorText = '';
  #end: ProcessEnd | undefined;

  /** `onLine` is called for each complete line of the output as it is read. */
  constructor(directory: string, commandLine: readonly string[], onLine?: (line: string) => void) {
    this.directory = directory;
    // The entry itself and not the launcher: the process that is killed must be the one that runs.
    this.#child = spawn(process.execPath, [entryFile, ...commandLine, '--profile', directory], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this);
    const ended = Promise.withResolvers<ProcessEnd>();
    this.ended = ended.promise;
    const { stdout, stderr } = this.#child;
    if (stdout !== null) {
      createInterface({ input: stdout, crlfDelay: Infinity }).on('line', (line) => {
        this.#lines.push(line);
        onLine?.(line);
      });
    }
    stderr?.on('data', (chunk: Buffer) => {
      if (this.#errorText.length < errorTextMaximumCharacters) this.#errorText += chunk.toString();
    });
    const finish = (end: ProcessEnd): void => {
      this.#end = end;
      running.delete(this);
      ended.resolve(end);
    };
    this.#child.once('error', () => { finish({ code: 1, signal: undefined }); });
    // Not `exit`: what it printed before it ended is part of what it did.
    this.#child.once('close', (code, signal) => { finish({ code: code ?? undefined, signal: signal ?? undefined }); });
  }

  get processId(): number { return this.#child.pid ?? 0; }
  get isRunning(): boolean { return this.#end === undefined; }
  get lines(): readonly string[] { return this.#lines; }
  get errorText(): string { return this.#errorText; }

  /** The first line that it prints, which says that it is up. @throws Error when it ends before. */
  async firstLine(): Promise<string> {
    return until(`first line of ${this.directory}`, startDeadlineMs, () => {
      const [line] = this.#lines;
      if (line === undefined) this.#failIfEnded();
      return line;
    });
  }

  /** Connects to its local API as soon as that is there. @throws Error when it ends before. */
  async connect(): Promise<Connection> {
    const address = profileAt(this.directory).controlAddress;
    return until(`local API of ${this.directory}`, startDeadlineMs, async () => {
      const pipe = await connectControlSocket(address);
      if (pipe !== undefined) return { client: createClient(pipe), closed: pipe.closed, close: () => { pipe.close(); } };
      this.#failIfEnded();
      return undefined;
    });
  }

  /** Power loss for this process alone: nothing of it runs after this. */
  async killHard(): Promise<void> {
    this.kill();
    await this.ended;
  }

  /** The same without waiting for its end. */
  kill(): void { this.#child.kill('SIGKILL'); }

  /** As Ctrl+C; resolves when it has ended. */
  async stop(): Promise<ProcessEnd> {
    this.#child.kill('SIGINT');
    return within(stopDeadlineMs, `clean stop of ${this.directory}`, this.ended);
  }

  #failIfEnded(): void {
    if (this.#end === undefined) return;
    const { code, signal } = this.#end;
    throw new Error(`The process of ${this.directory} ended before it was up, ${signal === undefined ? `exit code ${code ?? 'unknown'}` : signal}: ${this.#errorText.trim()}`);
  }
}

/** Ends everything that still runs, whatever went wrong. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.killHard()));
}

/** Runs one verb with `--json` to its end and gives what it printed, one value a line. @throws Error with its sentence when it fails. */
export async function runVerb(directory: string, ...commandLine: readonly string[]): Promise<readonly unknown[]> {
  const verb = new WaypostProcess(directory, [...commandLine, '--json']);
  const { code } = await verb.ended;
  if (code !== 0) throw new Error(`waypost ${commandLine[0] ?? ''} failed: ${verb.errorText.trim()}`);
  return verb.lines.map((line): unknown => JSON.parse(line));
}
