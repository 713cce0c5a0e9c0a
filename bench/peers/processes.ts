/**
 * Starts the processes of one run of one peer: a server, and one dialler after the other. All are ended with the run, and end by
 * themselves when run.ts does: their standard input closes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Report } from './one.ts';
import type { Figures } from './workloads.ts';

/** Far more than any needs; a peer that hangs must not stop the others. */
const processMaximumMs = 60_000;
/** Opening is short and scatters most, so that it is done several times, each in a fresh process. */
const figuresRun = [{ workload: 'bulk', times: 1 }, { workload: 'echo', times: 1 }, { workload: 'open', times: 5 }];
const transfersRun = [{ workload: 'transfers', times: 1 }];
const independenceRun = [{ workload: 'independence', times: 1 }];
const errorTailCharacters = 300;

/** The first line of a process, which is left running. */
function start(commandLine: readonly string[]): { readonly child: ChildProcess; readonly first: Promise<Report> } {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'one.ts'), ...commandLine], { stdio: ['pipe', 'pipe', 'pipe'] });
  const what = commandLine.slice(0, 2).join(' ');
  const first = new Promise<Report>((resolve) => {
    let output = '';
    let errors = '';
    const timer = setTimeout(() => { resolve({ error: `"${what}" did not report within ${processMaximumMs / 1_000} s.${said()}` }); }, processMaximumMs);
    const said = (): string => (errors === '' ? '' : ` It said: ${errors.trim().slice(-errorTailCharacters)}`);
    const end = (report: Report): void => { clearTimeout(timer); resolve(report); };
    child.stderr.on('data', (chunk: Buffer) => { errors = (errors + chunk.toString()).slice(-2 * errorTailCharacters); });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      // Libraries may print as well; ours is the line that is a report.
      for (const line of output.split('\n').slice(0, -1)) if (/^\{"(address|figures|error)":/.test(line)) { end(JSON.parse(line) as Report); return; }
    });
    child.once('error', (error) => { end({ error: `"${what}" could not be started: ${error.message}.` }); });
    child.once('close', (code) => { end({ error: `"${what}" ended with exit code ${String(code)} and without a report.${said()}` }); });
  });
  return { child, first };
}

async function dialler(workload: string, peer: string, address: string, seconds: number): Promise<Figures> {
  const { child, first } = start([workload, peer, address, String(seconds)]);
  const report = await first;
  child.kill('SIGKILL');
  if ('figures' in report) return report.figures;
  throw new Error('error' in report ? `${workload}: ${report.error}` : `${workload} printed an address`);
}

export type Mode = 'figures' | 'transfers' | 'independence';

const runs = { figures: figuresRun, transfers: transfersRun, independence: independenceRun } as const satisfies Record<Mode, unknown>;

/** Everything that is measured of one peer, once. Throws with a sentence when one part of it fails. */
export async function runOnce(peer: string, mode: Mode, seconds: number): Promise<readonly Figures[]> {
  const all: Figures[] = [];
  for (const { workload, times } of runs[mode]) {
    // A server of its own for each: what a blast leaves behind must not be measured by the next.
    const server = await serve(peer);
    try {
      for (let count = 0; count < times; count += 1) all.push(await dialler(workload, peer, server.address, seconds));
    } finally {
      server.stop();
    }
  }
  return all;
}

async function serve(peer: string): Promise<{ readonly address: string; stop(): void }> {
  const { child, first } = start(['serve', peer]);
  const report = await first;
  if ('address' in report) return { address: report.address, stop: () => { child.kill('SIGKILL'); } };
  child.kill('SIGKILL');
  throw new Error('error' in report ? `serve: ${report.error}` : 'serve printed figures');
}
