/**
 * The bridge between page and main process: one function to call, one to listen. It names the channels and passes payloads only, never
 * Electron's own objects; what may be called, and with which arguments, is checked by the main process against the contract.
 */
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron';
import { callChannel, notificationChannel } from '../shared/channels.ts';

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
});
