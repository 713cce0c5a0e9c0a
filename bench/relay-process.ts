/** A relay in a process of its own, through the command line as an operator starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';

const cli = path.join(import.meta.dirname, '..', 'src', 'main', 'cli', 'index.ts');

export interface RelayProcess {
  readonly hint: RelayHint;
  readonly process: ChildProcess;
  stop(): void;
}

export function temporaryFolder(): string { return mkdtempSync(path.join(tmpdir(), 'waypost-bench-')); }

/** Those who were ended may still be closing their files. */
export function removeFolder(folder: string): void { rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }); }

export function startRelay(...options: readonly string[]): Promise<RelayProcess> {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, [cli, 'relay', '--listen', '127.0.0.1:0', '--profile', folder, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    let output = '';
    child.once('error', reject);
    child.once('exit', () => { reject(new Error('the relay ended')); });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const hint = output.includes('\n') ? parseRelayHint(output.split('\n')[0] ?? '') : undefined;
      if (hint === undefined) return;
      resolve({ hint, process: child, stop: () => { child.kill('SIGKILL'); rmSync(folder, { recursive: true, force: true }); } });
    });
  });
}
