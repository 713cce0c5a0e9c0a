/**
 * The one place where the renderer reaches the main process. Whoever calls is checked first, then the shape of the call; what the call
 * means is the business of the pipe behind.
 */
import { ipcMain, type BrowserWindow, type IpcMainInvokeEvent } from 'electron';
import { callChannel, notificationChannel } from '../../shared/channels.ts';
import type { ClientPipe, Reply } from '../../shared/transport.ts';
import { isTrustedSender } from './sender.ts';

const pathMaximumCharacters = 128;
const refused: Reply = { ok: false, error: { code: 'refused', message: 'This page may not use Waypost.' } };
const malformed: Reply = { ok: false, error: { code: 'invalid-argument', message: 'This is not a call.' } };

export interface IpcRegistration {
  /** Lets the window call and hear notifications, until it closes. */
  trust(window: BrowserWindow): void;
  /** To all trusted windows. */
  notify(path: string, payload: unknown): void;
}

export function registerIpc(pipe: Pick<ClientPipe, 'invoke'>, isOwnUrl: (url: string) => boolean): IpcRegistration {
  const trusted = new Map<number, BrowserWindow>();

  ipcMain.handle(callChannel, async (event: IpcMainInvokeEvent, path: unknown, argument: unknown): Promise<Reply> => {
    const frame = event.senderFrame;
    const facts = { frame: frame === null ? undefined : { url: frame.url, isTop: frame.parent === null }, contentsId: event.sender.id };
    if (!isTrustedSender(facts, new Set(trusted.keys()), isOwnUrl)) return refused;
    if (typeof path !== 'string' || path.length > pathMaximumCharacters) return malformed;
    return pipe.invoke(path, argument);
  });

  return {
    trust(window) {
      const { id } = window.webContents;
      trusted.set(id, window);
      window.once('closed', () => { trusted.delete(id); });
    },
    notify(path, payload) {
      for (const window of trusted.values()) if (!window.isDestroyed()) window.webContents.send(notificationChannel(path), payload);
    },
  };
}
