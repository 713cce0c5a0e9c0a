/**
 * The one place where the renderer reaches the main process. Whoever calls is checked first, then the shape of the call; what the call
 * means is the business of the pipe behind, and of `file-calls.ts` where a file of the person is meant.
 */
import path from 'node:path';
import { app, dialog, ipcMain, type BrowserWindow, type IpcMainEvent, type IpcMainInvokeEvent } from 'electron';
import { callChannel, fileGrantChannel, filePickChannel, fileReleaseChannel, notificationChannel } from '../../shared/channels.ts';
import type { GrantedFile } from '../../shared/contract.ts';
import { toErrorView } from '../../shared/errors.ts';
import type { PickedFiles } from '../../shared/file-grants.ts';
import { filesAtOnceMaximum } from '../../shared/file-limits.ts';
import type { ClientPipe, Reply } from '../../shared/transport.ts';
import { invokeFromWindow } from './file-calls.ts';
import { FileGrants } from './file-grants.ts';
import { isTrustedSender } from './sender.ts';

const pathMaximumCharacters = 128;
const grantMaximumCharacters = 64;
const refused: Reply = { ok: false, error: { code: 'refused', message: 'This page may not use Waypost.' } };
const malformed: Reply = { ok: false, error: { code: 'invalid-argument', message: 'This is not a call.' } };

export interface IpcRegistration {
  /** Lets the window call and hear notifications, until it closes. */
  trust(window: BrowserWindow): void;
  /** To all trusted windows. */
  notify(path: string, payload: unknown): void;
  /** At quit: deletes what was pasted and not sent. */
  close(): void;
}

export interface IpcOptions {
  readonly pipe: Pick<ClientPipe, 'invoke'>;
  readonly isOwnUrl: (url: string) => boolean;
  /** Folder in the profile, of its own, for what is pasted. */
  readonly pastedDirectory: string;
}

async function replyOf(action: () => Promise<unknown>): Promise<Reply> {
  try {
    return { ok: true, value: await action() };
  } catch (thrown) {
    return { ok: false, error: toErrorView(thrown) };
  }
}

/** What can be taken of a choice; for each of the others there is a sentence. */
async function pick(window: BrowserWindow, give: (file: string) => Promise<GrantedFile>): Promise<PickedFiles> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, { title: 'Attach files', properties: ['openFile', 'multiSelections'] });
  const files: GrantedFile[] = [];
  const problems: string[] = [];
  for (const file of canceled ? [] : filePaths.slice(0, filesAtOnceMaximum)) {
    try {
      files.push(await give(file));
    } catch (thrown) {
      problems.push(toErrorView(thrown).message);
    }
  }
  if (filePaths.length > filesAtOnceMaximum) problems.push(`${filesAtOnceMaximum} files at once are the most; the others were left out.`);
  return { files, problems };
}

export function registerIpc({ pipe, isOwnUrl, pastedDirectory }: IpcOptions): IpcRegistration {
  const trusted = new Map<number, BrowserWindow>();
  const grants = new FileGrants({ pastedDirectory, nowMs: () => Date.now() });

  /** The window that asks, if it may. */
  const senderOf = (event: IpcMainInvokeEvent | IpcMainEvent): BrowserWindow | undefined => {
    const frame = event.senderFrame;
    const facts = { frame: frame === null ? undefined : { url: frame.url, isTop: frame.parent === null }, contentsId: event.sender.id };
    return isTrustedSender(facts, new Set(trusted.keys()), isOwnUrl) ? trusted.get(event.sender.id) : undefined;
  };

  const askWhere = async (windowId: number, name: string): Promise<string | undefined> => {
    const window = trusted.get(windowId);
    if (window === undefined) return undefined;
    const { canceled, filePath } = await dialog.showSaveDialog(window, { title: 'Save as', defaultPath: path.join(app.getPath('downloads'), name), properties: ['createDirectory', 'showOverwriteConfirmation'] });
    return canceled || filePath === '' ? undefined : filePath;
  };

  ipcMain.handle(callChannel, async (event, call: unknown, argument: unknown): Promise<Reply> => {
    if (senderOf(event) === undefined) return refused;
    if (typeof call !== 'string' || call.length > pathMaximumCharacters) return malformed;
    return invokeFromWindow({ pipe, grants, askWhere }, event.sender.id, call, argument);
  });
  ipcMain.handle(fileGrantChannel, async (event, offered: unknown): Promise<Reply> => (senderOf(event) === undefined ? refused : replyOf(() => grants.offer(event.sender.id, offered))));
  ipcMain.handle(filePickChannel, async (event): Promise<Reply> => {
    const window = senderOf(event);
    return window === undefined ? refused : replyOf(() => pick(window, (file) => grants.givePath(event.sender.id, file)));
  });
  ipcMain.on(fileReleaseChannel, (event, grant: unknown) => {
    if (senderOf(event) !== undefined && typeof grant === 'string' && grant.length <= grantMaximumCharacters) grants.release(event.sender.id, grant);
  });

  return {
    trust(window) {
      const { id } = window.webContents;
      trusted.set(id, window);
      window.once('closed', () => {
        trusted.delete(id);
        grants.closeWindow(id);
      });
    },
    notify(notification, payload) {
      for (const window of trusted.values()) if (!window.isDestroyed()) window.webContents.send(notificationChannel(notification), payload);
    },
    close: () => { grants.clear(); },
  };
}
