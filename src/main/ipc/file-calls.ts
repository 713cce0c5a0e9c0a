/**
 * The calls about files as windows may make them: a path in one is refused. What a window names is a grant, and where a file is saved the person
 * says in the system's own dialog. Knows no electron, so that each rule is tested.
 */
import { randomBytes } from 'node:crypto';
import { lstat, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { contract } from '../../shared/contract.ts';
import { toErrorView, WaypostError, type ErrorCode } from '../../shared/errors.ts';
import type { ClientPipe, Reply } from '../../shared/transport.ts';
import { messageSchema } from '../../shared/views.ts';
import type { FileGrants } from './file-grants.ts';
import { safeFileName } from '../engine/wire/file-name.ts';

export interface FileCallOptions {
  readonly pipe: Pick<ClientPipe, 'invoke'>;
  readonly grants: FileGrants;
  /** Asks the person where to; undefined when they would rather not. A file that is there already they agreed to replace. */
  readonly askWhere: (windowId: number, name: string) => Promise<string | undefined>;
}

const failure = (code: ErrorCode, message: string): Reply => ({ ok: false, error: { code, message } });
const malformed = failure('invalid-argument', 'This call is not valid.');
const pathRefused = failure('refused', 'A window may not name files on this computer.');

/** Serves a call of a window; all that is not about files goes on as it is. */
export async function invokeFromWindow(options: FileCallOptions, windowId: number, call: string, argument: unknown): Promise<Reply> {
  switch (call) {
    case 'files.send': return send(options, windowId, argument);
    case 'files.save': return save(options, windowId, argument);
    case 'names.publish': case 'names.save': return pathRefused;
    default: return options.pipe.invoke(call, argument);
  }
}

async function send({ pipe, grants }: FileCallOptions, windowId: number, argument: unknown): Promise<Reply> {
  const parsed = contract.files.send.argument.safeParse(argument);
  if (!parsed.success) return malformed;
  const { file } = parsed.data;
  if (file.by === 'path') return pathRefused;
  const taken = grants.take(windowId, file.grant);
  if (taken === undefined) return failure('file-unreadable', 'This file is not at hand any more. Attach it again.');
  let isSent = false;
  try {
    const reply = await pipe.invoke('files.send', { ...parsed.data, file: { by: 'path', path: taken.path } });
    isSent = reply.ok;
    return reply;
  } finally {
    taken.settle(isSent);
  }
}

async function save({ pipe, askWhere }: FileCallOptions, windowId: number, argument: unknown): Promise<Reply> {
  const parsed = contract.files.save.argument.safeParse(argument);
  if (!parsed.success) return malformed;
  const { messageId, path: named } = parsed.data;
  if (named !== undefined) return pathRefused;
  const found = await pipe.invoke('messages.get', { messageId });
  if (!found.ok) return found;
  const message = messageSchema.safeParse(found.value);
  if (!message.success || message.data.file === undefined) return failure('not-found', 'This message carries no file.');
  const { file, direction } = message.data;
  if (direction === 'in' && file.state.state !== 'ready') return failure('file-not-here', 'This file is not here yet.');
  const chosen = await askWhere(windowId, safeFileName(file.name));
  return chosen === undefined ? { ok: true, value: {} } : saveTo(pipe, messageId, chosen);
}

/** What is there already is replaced only by the whole file: it is written beside it and then takes its name. */
async function saveTo(pipe: Pick<ClientPipe, 'invoke'>, messageId: string, chosen: string): Promise<Reply> {
  const present = await lstat(chosen).catch(() => undefined);
  if (present === undefined) return pipe.invoke('files.save', { messageId, path: chosen });
  const beside = path.join(path.dirname(chosen), `.${randomBytes(8).toString('hex')}.waypost`);
  try {
    const reply = await pipe.invoke('files.save', { messageId, path: beside });
    if (!reply.ok) return reply;
    await rename(beside, chosen);
    return { ok: true, value: { path: chosen } };
  } catch (thrown) {
    await rm(beside, { force: true }).catch(() => undefined);
    return { ok: false, error: toErrorView(new WaypostError('file-exists', 'The file that is there could not be replaced. Choose another name.', { cause: thrown })) };
  }
}
