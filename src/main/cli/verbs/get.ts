/** `waypost get`: brings the file of a message here if it is not, and saves it where nothing is yet. */
import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { fileFailSentence } from '../../../shared/file-sentences.ts';
import type { FileView } from '../../../shared/file-views.ts';
import type { MessageView } from '../../../shared/views.ts';
import { safeFileName } from '../../engine/wire/file-name.ts';
import { parseTimeout } from '../durations.ts';
import type { VisorAccess } from '../environment.ts';
import { createFileProgress } from '../file-progress.ts';
import { freeNames } from '../file-words.ts';
import type { Terminal } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';
import { followMessage } from '../wait.ts';

/** Somebody who has so many files of one name does not want another. */
const namesTriedMaximum = 1_000;

interface GetOptions {
  readonly output?: string;
  readonly timeout?: string;
}

/** Where it goes: into `folder` under the first free name, or to exactly `file`. */
export type Target = { readonly folder: string } | { readonly file: string };

/** Looked at before a large file is fetched for nothing; that nothing is overwritten is seen to when it is written. */
export async function targetOf(output: string | undefined): Promise<Target> {
  const chosen = path.resolve(output ?? '.');
  if (output === undefined || await isFolder(chosen)) return { folder: chosen };
  if (await lstat(chosen).then(() => true, () => false)) {
    throw new WaypostError('file-exists', `There is already something named "${path.basename(chosen)}" in that place, and it was left untouched. Choose another name.`);
  }
  // A folder by its spelling, and by nothing else.
  if (output.endsWith('/') || output.endsWith(path.sep) || !await isFolder(path.dirname(chosen))) {
    throw new WaypostError('invalid-argument', 'The folder in --output does not exist. Make it first, or choose another one.');
  }
  return { file: chosen };
}

const isFolder = (place: string): Promise<boolean> => stat(place).then((found) => found.isDirectory(), () => false);

export function addGetVerb(program: Command): void {
  addVerb(program, 'get <id>', 'fetch the file of a message and save it; "waypost inbox" shows the ids')
    .option('--output <path>', 'where to save it: a folder, or a name that nothing has yet (default: this folder, under its own name)')
    .option('--timeout <seconds>', 'give up waiting after this time; what has come is kept')
    .action((id: string, options: GetOptions, command: Command) => runVerb(command, async (environment) => {
      const timeoutMs = parseTimeout(options.timeout);
      const target = await targetOf(options.output);
      await environment.withVisor(async (visor) => {
        const { message, file } = await bringHere(visor, environment.terminal, id, timeoutMs);
        const saved = await save(visor.client, message.id, file, target);
        environment.terminal.result(saved, { path: saved, message });
      });
    }));
}

/** Ours are here from the start. @throws WaypostError `not-found`, `file-not-here`, `timeout` */
async function bringHere({ client, lost }: VisorAccess, terminal: Terminal, messageId: string, timeoutMs: number | undefined): Promise<{ message: MessageView; file: FileView }> {
  const known = await client.messages.get({ messageId });
  if (known.file === undefined) throw new WaypostError('not-found', 'This message carries no file.');
  if (known.direction === 'out' || known.file.state.state === 'ready') return { message: known, file: known.file };
  if (needsAsking(known.file)) await client.files.fetch({ messageId });
  const progress = createFileProgress(terminal);
  try {
    const { message, isOver } = await followMessage(client, messageId, {
      isOver: ({ file }) => file === undefined || file.state.state === 'ready' || file.state.state === 'failed',
      timeoutMs,
      lost,
      seen: (message) => { progress.show(message); },
    });
    const { file } = message;
    if (file === undefined) throw new WaypostError('not-found', 'This message carries no file.');
    if (!isOver) throw new WaypostError('timeout', 'The file is not all here yet. What has come is kept; the same command goes on with it.');
    if (file.state.state === 'failed') throw new WaypostError('file-not-here', fileFailSentence(file.state.reason, 'in'));
    return { message, file };
  } finally {
    progress.end();
  }
}

/** One that only has nobody to come from just now is asked for already. */
function needsAsking({ state }: FileView): boolean {
  if (state.state === 'failed') return true;
  return state.state === 'waiting' && (state.reason === 'not-asked' || state.reason === 'paused' || state.reason === 'disk-full');
}

const save = (client: Client, messageId: string, file: FileView, target: Target): Promise<string> =>
  saveTo(target, file.name, async (place) => (await client.files.save({ messageId, path: place })).path ?? place);

/** @param write refuses a path that has something with `file-exists`. @throws WaypostError `file-exists` and whatever else saving is refused with. */
export async function saveTo(target: Target, fileName: string, write: (place: string) => Promise<string>): Promise<string> {
  if ('file' in target) return write(target.file);
  // The name was made safe by the visor; what comes over a socket is made safe here, where it becomes a path.
  for (const name of freeNames(safeFileName(fileName), namesTriedMaximum)) {
    try {
      return await write(path.join(target.folder, name));
    } catch (error) {
      if (!(error instanceof WaypostError) || error.code !== 'file-exists') throw error;
    }
  }
  throw new WaypostError('file-exists', `There are too many files named "${fileName}" in this folder. Choose another name with --output.`);
}
