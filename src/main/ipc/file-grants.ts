/**
 * Which files the person has given to which window. A window names a grant, never a path; each is good for one successful send within the hour,
 * by the window it was given to. What was pasted and has no file of its own gets one that nobody else may read, until it is used or let go.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { GrantedFile } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { fileOfferSchema } from '../../shared/file-grants.ts';
import { safeFileName } from '../engine/wire/file-name.ts';

const grantBytes = 16;
const lifeMs = 3_600_000;
/** For one window at once: many times what its composers hold. */
const perWindowMaximum = 256;
/** Pasted contents on the disk at once, for all windows. */
const pastedTotalMaximumBytes = 256 * 1_048_576;
const ownerOnlyDirectory = 0o700;
const ownerOnlyFile = 0o600;

interface Grant {
  readonly windowId: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly untilMs: number;
  /** Folder of its own in the profile, if the contents were pasted. */
  readonly pastedDirectory: string | undefined;
  /** A send with it is under way. */
  inUse: boolean;
}

/** A grant taken for one send. */
export interface TakenGrant {
  readonly path: string;
  /** Ends the send: a successful one uses the grant up, after another one it can be tried again. */
  settle(isSent: boolean): void;
}

export interface FileGrantOptions {
  /** Folder in the profile for what was pasted; whatever is left in it is deleted at once. */
  readonly pastedDirectory: string;
  readonly nowMs: () => number;
}

export class FileGrants {
  readonly #options: FileGrantOptions;
  readonly #grants = new Map<string, Grant>();

  constructor(options: FileGrantOptions) {
    this.#options = options;
    this.#deleteAllPasted();
  }

  /** Of what the preload hands over. @throws WaypostError with a sentence for the person. */
  async offer(windowId: number, offered: unknown): Promise<GrantedFile> {
    const parsed = fileOfferSchema.safeParse(offered);
    if (!parsed.success) throw new WaypostError('invalid-argument', 'This is not a file that can be attached.');
    const { data } = parsed;
    return data.kind === 'path' ? this.givePath(windowId, data.path) : this.#givePasted(windowId, data.name, data.bytes);
  }

  /** Of a file that the person chose. @throws WaypostError `file-unreadable`, `refused` when there are too many. */
  async givePath(windowId: number, file: string): Promise<GrantedFile> {
    this.#prune();
    const name = safeFileName(path.basename(file));
    if (!path.isAbsolute(file) || file.includes('\0')) throw new WaypostError('invalid-argument', 'This is not a file that can be attached.');
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) throw new WaypostError('file-unreadable', `"${name}" cannot be read. Check that it is still there and that you may open it.`);
    if (found.isDirectory()) throw new WaypostError('file-unreadable', `"${name}" is a folder. Pack it into one file and attach that.`);
    if (!found.isFile()) throw new WaypostError('file-unreadable', `"${name}" is not a file that can be sent.`);
    return this.#add({ windowId, path: file, sizeBytes: found.size, pastedDirectory: undefined }, name);
  }

  /** Undefined unless the window has it and no other send is using it. */
  take(windowId: number, id: string): TakenGrant | undefined {
    this.#prune();
    const grant = this.#grants.get(id);
    if (grant?.windowId !== windowId || grant.inUse) return undefined;
    grant.inUse = true;
    return {
      path: grant.path,
      settle: (isSent) => {
        grant.inUse = false;
        // The window may have closed meanwhile: then nobody can try again.
        if (isSent || !this.#grants.has(id)) this.#remove(id, grant);
      },
    };
  }

  /** The person took the file out again. */
  release(windowId: number, id: string): void {
    const grant = this.#grants.get(id);
    if (grant?.windowId === windowId && !grant.inUse) this.#remove(id, grant);
  }

  closeWindow(windowId: number): void {
    for (const [id, grant] of [...this.#grants]) {
      if (grant.windowId !== windowId) continue;
      this.#grants.delete(id);
      if (!grant.inUse) this.#remove(id, grant);
    }
  }

  /** At quit; answers when all of it is gone, for there is no later. */
  clear(): void {
    this.#grants.clear();
    this.#deleteAllPasted();
  }

  async #givePasted(windowId: number, offeredName: string, bytes: Uint8Array): Promise<GrantedFile> {
    this.#prune();
    const held = [...this.#grants.values()].reduce((sum, grant) => sum + (grant.pastedDirectory === undefined ? 0 : grant.sizeBytes), 0);
    if (held + bytes.length > pastedTotalMaximumBytes) throw new WaypostError('refused', 'Too much from the clipboard waits to be sent. Send that first, or take some of it out.');
    const name = safeFileName(offeredName);
    const pastedDirectory = path.join(this.#options.pastedDirectory, randomBytes(grantBytes).toString('hex'));
    const file = path.join(pastedDirectory, name);
    try {
      await mkdir(pastedDirectory, { recursive: true, mode: ownerOnlyDirectory });
      await writeFile(file, bytes, { mode: ownerOnlyFile, flag: 'wx' });
      return this.#add({ windowId, path: file, sizeBytes: bytes.length, pastedDirectory }, name);
    } catch (error) {
      deleteDirectory(pastedDirectory);
      if (error instanceof WaypostError) throw error;
      throw new WaypostError('disk-full', 'What you pasted could not be written to this disk. Free some space and paste it again.', { cause: error });
    }
  }

  #add(grant: Omit<Grant, 'inUse' | 'untilMs'>, name: string): GrantedFile {
    const count = [...this.#grants.values()].filter((other) => other.windowId === grant.windowId).length;
    if (count >= perWindowMaximum) throw new WaypostError('refused', 'Too many files wait to be sent. Send those first, or take some of them out.');
    const id = randomBytes(grantBytes).toString('hex');
    this.#grants.set(id, { ...grant, untilMs: this.#options.nowMs() + lifeMs, inUse: false });
    return { grant: id, name, sizeBytes: grant.sizeBytes };
  }

  #prune(): void {
    const nowMs = this.#options.nowMs();
    for (const [id, grant] of [...this.#grants]) if (!grant.inUse && grant.untilMs <= nowMs) this.#remove(id, grant);
  }

  #remove(id: string, grant: Grant): void {
    this.#grants.delete(id);
    if (grant.pastedDirectory !== undefined) deleteDirectory(grant.pastedDirectory);
  }

  #deleteAllPasted(): void {
    try {
      rmSync(this.#options.pastedDirectory, { recursive: true, force: true });
    } catch {
      // Somebody else has it open; the next start tries again.
    }
  }
}

function deleteDirectory(directory: string): void {
  // What cannot be deleted now is at quit, or at the next start.
  rm(directory, { recursive: true, force: true }).catch(() => undefined);
}
