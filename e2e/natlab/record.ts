/** Where a laboratory keeps what it knows of itself: a folder under /run, gone after a restart of the machine as the namespaces are. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { misuse } from './usage-error.ts';
import type { LabNode, LabState, RouterNode } from './model.ts';

const runFolder = '/run/natlab';
const labPattern = /^[a-z0-9-]{1,24}$/;

/** Names of the namespaces and files of one laboratory. */
export class Places {
  readonly lab: string;
  readonly folder: string;
  /** Every namespace of this laboratory and of no other begins with it: names of laboratories have no dot. */
  readonly prefix: string;
  /** All switches of the laboratory are in it. */
  readonly core: string;
  /** Where the link emulators run. */
  readonly wire: string;

  /** @throws UsageError */
  constructor(lab: string) {
    if (!labPattern.test(lab)) misuse(`lab names are [a-z0-9-], at most 24 characters: '${lab}'`);
    this.lab = lab;
    this.folder = path.join(runFolder, lab);
    this.prefix = `natlab.${lab}.`;
    this.core = this.namespaceOf('@core');
    this.wire = this.namespaceOf('@wire');
  }

  namespaceOf(node: string): string { return this.prefix + node; }
  file(name: string): string { return path.join(this.folder, name); }
  get recordFile(): string { return this.file('state.json'); }
  get lockFile(): string { return `${this.folder}.lock`; }
}

/** Whole or not at all, for whoever reads meanwhile. */
export function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, JSON.stringify(value, undefined, 1));
  renameSync(`${file}.new`, file);
}

/** A file of the laboratory, which only root writes and only this program's code has written. */
export function readOwn(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

export function save(places: Places, state: LabState): void {
  writeWhole(places.recordFile, state);
}

/** @throws UsageError when the laboratory is not up. */
export function load(places: Places): LabState {
  if (!existsSync(places.recordFile)) misuse(`lab '${places.lab}' is not up`);
  return readOwn(places.recordFile) as LabState;
}

export function createFolder(places: Places): void {
  mkdirSync(places.folder, { recursive: true });
}

export function removeFolder(places: Places): void {
  rmSync(places.folder, { recursive: true, force: true });
}

/** The last thing of a laboratory, by whoever holds the lock. */
export function removeLock(places: Places): void {
  rmSync(places.lockFile, { force: true });
}

/** @throws UsageError */
export function nodeOf(state: LabState, name: string): LabNode {
  return (Object.hasOwn(state.nodes, name) ? state.nodes[name] : undefined) ?? misuse(`no node '${name}' in lab '${state.lab}'; it has: ${Object.keys(state.nodes).join(' ')}`);
}

/** The router of that name, or the one that the host of that name is behind. @throws UsageError */
export function routerOf(state: LabState, name: string): RouterNode {
  const node = nodeOf(state, name);
  switch (node.type) {
    case 'router': return node;
    case 'host': return routerOf(state, node.router);
    case 'public': return misuse(`'${name}' is a public host: it has no NAT`);
  }
}

/** Whoever takes the laboratory down removes the file, so that a lock is one only if the file is still there. */
const holdLock = 'while exec 9>"$1" && flock 9; do if [ /proc/self/fd/9 -ef "$1" ]; then echo held; exec cat >/dev/null; fi; done';

/**
 * Runs `action` while no other process changes this laboratory. The lock is the kernel's, held by a process that ends when its standard
 * input closes: it cannot outlive this one.
 */
export async function locked<Result>(places: Places, action: () => Result | Promise<Result>): Promise<Result> {
  mkdirSync(runFolder, { recursive: true });
  const holder = spawn('sh', ['-c', holdLock, 'sh', places.lockFile], { stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(holder, 'close');
  await Promise.race([once(holder.stdout, 'data'), closed.then(() => { throw new Error(`${places.lockFile} could not be locked`); })]);
  try {
    return await action();
  } finally {
    holder.stdin.end();
    await closed;
  }
}
