/**
 * Starts a helper in a process of its own and passes plain messages. In Electron that is a utility process, because a packaged app does
 * not run itself as Node; where Electron offers none, Node's own fork does the same.
 */
import * as electron from 'electron';
import type { HelperProcess } from './helper-types.ts';
import { forkAsNode } from './node-helper.ts';

type UtilityProcessModule = typeof electron.utilityProcess;

/** Looked up by name: importing what a host does not have would keep the whole app from loading. */
function findUtilityProcess(): UtilityProcessModule | undefined {
  const offered: Partial<Pick<typeof electron, 'utilityProcess'>> = electron;
  return offered.utilityProcess;
}

/** `file`: its entry; `name`: what the system's task list shows. */
export function forkHelper(file: string, name: string): HelperProcess {
  const utilityProcess = findUtilityProcess();
  return utilityProcess === undefined ? forkAsNode(file) : forkAsUtility(utilityProcess, file, name);
}

function forkAsUtility(utilityProcess: UtilityProcessModule, file: string, name: string): HelperProcess {
  const child = utilityProcess.fork(file, [], { serviceName: name, stdio: 'inherit' });
  return {
    send: (message) => { child.postMessage(message); },
    onMessage: (listener) => { child.on('message', listener); },
    onExit: (listener) => { child.once('exit', () => { listener(); }); },
    kill: () => { child.kill(); },
  };
}
