/**
 * The bridge between page and main process: one function to call, one to listen, and those that hand over files. It names the channels and passes
 * payloads only, never Electron's own objects; what may be called, and with which arguments, is checked by the main process against the contract.
 *
 * A page never learns or names a path: it hands over a File, which only the person can have given to it, and is told of a grant.
 */
import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron';
import { callChannel, fileGrantChannel, filePickChannel, fileReleaseChannel, notificationChannel } from '../shared/channels.ts';
import { pastedMaximumBytes } from '../shared/file-limits.ts';

const failed = (code: string, message: string) => ({ ok: false, error: { code, message } });

async function grantFile(file: File): Promise<unknown> {
  let path: string;
  let bytes: Uint8Array;
  try {
    path = webUtils.getPathForFile(file);
    if (path !== '') return await ipcRenderer.invoke(fileGrantChannel, { kind: 'path', path });
    // Pasted pictures are nowhere on the disk yet.
    if (file.size > pastedMaximumBytes) return failed('file-too-large', 'This is too large to be taken from the clipboard. Save it as a file and attach that.');
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    return failed('file-unreadable', 'This file cannot be read. Check that it is still there and that you may open it.');
  }
  return ipcRenderer.invoke(fileGrantChannel, { kind: 'bytes', name: file.name, bytes });
}

contextBridge.exposeInMainWorld('waypost', {
  invoke: (path: string, argument: unknown): Promise<unknown> => ipcRenderer.invoke(callChannel, path, argument),
  /** Returns the function that ends listening. */
  listen: (path: string, listener: (payload: unknown) => void): (() => void) => {
    const channel = notificationChannel(path);
    const deliver = (_event: IpcRendererEvent, payload: unknown): void => {
      listener(payload);
    };
    ipcRenderer.on(channel, deliver);
    return () => {
      ipcRenderer.off(channel, deliver);
    };
  },
  grantFile,
  pickFiles: (): Promise<unknown> => ipcRenderer.invoke(filePickChannel),
  releaseGrant: (grant: string): void => {
    ipcRenderer.send(fileReleaseChannel, grant);
  },
});
