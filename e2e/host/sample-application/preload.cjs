const { contextBridge, ipcRenderer, webUtils } = require('electron');

let refused = '';
try {
  require('node:fs');
} catch (error) {
  refused = error.message;
}
globalThis.onlyInPreload = true;

contextBridge.exposeInMainWorld('sample', {
  refused,
  invoke: (channel, ...values) => ipcRenderer.invoke(channel, ...values),
  addOne: (number) => number + 1,
  callBack: (listener) => listener('from the preload'),
  pathOf: async (file) => webUtils.getPathForFile(file),
  textOf: (file) => file.text(),
  later: async (value) => value,
  ping: (value) => ipcRenderer.send('ping', value),
  onPong: (listener) => ipcRenderer.on('pong', (_event, value) => listener(value)),
});
