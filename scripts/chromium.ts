/** Makes sure the end-to-end specs have a Chromium: the installed one, or Debian's package where we may install it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { locateChromium } from '../e2e/host/locate-chromium.ts';

/** 81 MB of packages from a mirror; slower than this and something is wrong. */
const installDeadlineMs = 10 * 60_000;

export const isRoot = process.getuid?.() === 0;

function installFromDebian(): void {
  process.stdout.write('Chromium is not installed: installing it with apt-get.\n');
  const options = { stdio: ['ignore', 'ignore', 'inherit'] as const, timeout: installDeadlineMs, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], { ...options, stdio: [...options.stdio] });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { ...options, stdio: [...options.stdio] });
}

/** Path of a Chromium, or undefined with the reason already written as one sentence. */
export function ensureChromium(): string | undefined {
  if (locateChromium() === undefined && isRoot && existsSync('/usr/bin/apt-get')) installFromDebian();
  const found = locateChromium();
  if (found === undefined) process.stderr.write('There is no Chromium on this machine: install the package "chromium" or set WAYPOST_CHROMIUM to the path of one.\n');
  return found;
}
