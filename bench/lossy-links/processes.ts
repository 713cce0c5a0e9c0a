/** Starts the ends of a transfer and the probes inside of the laboratory's hosts, and reads what they print. */
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import type { Lab } from '../../e2e/natlab/lab.ts';
import type { Line, Sample } from './end.ts';

const endProgram = path.join(import.meta.dirname, 'end.ts');
const probeProgram = path.join(import.meta.dirname, '../../e2e/natlab/probe.ts');
const lineWithinMs = 90_000;
const reportPattern = /^\{"(address|ready|samples|error)":/;
const errorTailCharacters = 300;

/** Round trips of a probe, ms. */
export interface RoundTrips { readonly min: number | null; readonly median: number | null; readonly p90: number | null }

/** A process whose lines are awaited one after the other. */
class Reporter {
  readonly child: ChildProcess;
  readonly #what: string;
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #errors = '';
  #isClosed = false;

  constructor(what: string, child: ChildProcess) {
    this.#what = what;
    this.child = child;
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => { this.#lines.push(line); this.#wake?.(); });
    child.stderr?.on('data', (chunk: Buffer) => { this.#errors = (this.#errors + chunk.toString()).slice(-errorTailCharacters); });
    child.once('close', () => { this.#isClosed = true; this.#wake?.(); });
  }

  /** The next line that `accepts` takes; libraries may print as well. @throws Error with what the process said. */
  async next(accepts: (line: string) => boolean): Promise<string> {
    const deadlineMs = Date.now() + lineWithinMs;
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) if (accepts(line)) return line;
      if (this.#isClosed) throw new Error(`${this.#what} ended early. It said: ${this.#errors.trim()}`);
      if (Date.now() > deadlineMs) throw new Error(`${this.#what} did not report within ${lineWithinMs / 1_000} s.`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadlineMs - Date.now());
        this.#wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  }

  async report(): Promise<Line> {
    const line = JSON.parse(await this.next((text) => reportPattern.test(text))) as Line;
    if ('error' in line) throw new Error(`${this.#what}: ${line.error}`);
    return line;
  }

  stop(): void { this.child.kill('SIGKILL'); }
}

function startEnd(lab: Lab, host: string, words: readonly string[]): Reporter {
  const own = lab.addresses(host)[0] ?? '';
  return new Reporter(words.slice(0, 2).join(' '), lab.start(host, process.execPath, [endProgram, ...words], { stdio: ['pipe', 'pipe', 'pipe'], env: { WAYPOST_BENCH_HOST: own } }));
}

export interface Server { readonly address: string; stop(): void }

export async function serve(lab: Lab, host: string, peer: string): Promise<Server> {
  const reporter = startEnd(lab, host, ['serve', peer]);
  const line = await reporter.report();
  if (!('address' in line)) throw new Error(`serve ${peer} printed no address`);
  return { address: line.address, stop: () => { reporter.stop(); } };
}

export interface Transfer {
  begin(): void;
  samples(): Promise<readonly Sample[]>;
  stop(): void;
}

/** Dialled and ready to begin. */
export async function dial(lab: Lab, host: string, peer: string, address: string, seconds: number): Promise<Transfer> {
  const reporter = startEnd(lab, host, ['bulk', peer, address, String(seconds)]);
  await reporter.report();
  return {
    begin() { reporter.child.stdin?.write('begin\n'); },
    async samples() {
      const line = await reporter.report();
      return 'samples' in line ? line.samples : [];
    },
    stop() { reporter.stop(); },
  };
}

export async function serveProbes(lab: Lab, host: string): Promise<void> {
  const child = lab.start(host, process.execPath, [probeProgram, 'serve', ...lab.addresses(host)], { stdio: ['ignore', 'pipe', 'pipe'] });
  await new Reporter('the probe server', child).next((line) => line === 'serving');
}

/** Small datagrams there and back, for so many seconds. */
export async function probe(lab: Lab, from: string, to: string, seconds: number, everyMs: number): Promise<RoundTrips> {
  const words = ['ping', lab.addresses(to)[0] ?? '', '--count', String(Math.round(seconds * 1_000 / everyMs)), '--every', String(everyMs), '--wait', '1000'];
  const child = lab.start(from, process.execPath, [probeProgram, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  return JSON.parse(await new Reporter('the probe', child).next((line) => line.startsWith('{'))) as RoundTrips;
}
