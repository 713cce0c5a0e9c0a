/**
 * The Electron executable. The npm package holds none and downloads it when it is first required; so we never require it, look at its
 * folder instead, and download only when asked, with a deadline.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './project.ts';

const packageDirectory = path.join(projectRoot, 'node_modules', 'electron');

/** 120 MB on a slow line may take longer, but a start that only waits looks broken. */
const downloadDeadlineMs = 60_000;

/** Path of an executable that exists, or undefined. `ELECTRON_EXEC_PATH` overrides the package, as for electron-vite. */
export function findElectron(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const chosen = environment['ELECTRON_EXEC_PATH'];
  if (chosen !== undefined && chosen !== '') return existsSync(chosen) ? chosen : undefined;
  const pathFile = path.join(packageDirectory, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const executable = path.join(packageDirectory, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(executable) ? executable : undefined;
}

export type Download = { readonly kind: 'ready'; readonly executable: string } | { readonly kind: 'failed'; readonly reason: string };

/** Runs the package's own installer, which checks the archive against its list of checksums. */
export function downloadElectron(): Download {
  const installer = path.join(packageDirectory, 'install.js');
  if (!existsSync(installer)) return { kind: 'failed', reason: 'the electron package is not installed' };
  process.stdout.write('Downloading Electron (once).\n');
  const result = spawnSync(process.execPath, [installer], { encoding: 'utf8', timeout: downloadDeadlineMs, killSignal: 'SIGKILL', stdio: ['ignore', 'ignore', 'pipe'] });
  const executable = findElectron();
  if (executable !== undefined && result.status === 0) return { kind: 'ready', executable };
  if (result.signal !== null) return { kind: 'failed', reason: `the download took longer than ${downloadDeadlineMs / 1000} seconds` };
  const firstLine = result.stderr.split('\n').find((line) => line.trim() !== '');
  return { kind: 'failed', reason: firstLine?.trim() ?? 'its installer ended without a reason' };
}
