/** A helper process by Node's own fork, for hosts without Electron's utility process. */
import { fork } from 'node:child_process';
import type { HelperProcess } from './helper-types.ts';

export function forkAsNode(file: string): HelperProcess {
  const child = fork(file, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return {
    send: (message) => { if (child.connected) child.send(message); },
    onMessage: (listener) => { child.on('message', listener); },
    onExit: (listener) => {
      child.once('exit', () => { listener(); });
      child.once('error', () => { listener(); });
    },
    kill: () => { child.kill('SIGKILL'); },
  };
}
