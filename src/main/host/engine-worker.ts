/**
 * Entry of the engine's thread: it owns the socket, the engine, the API and the storage thread behind them, so that nothing on the main
 * thread waits for a packet or a disk. It is told everything, the secrets included, in one first message.
 */
import { parentPort } from 'node:worker_threads';
import { toErrorView } from '../../shared/errors.ts';
import type { CommandReply, EngineCommand } from '../engine/command-types.ts';
import { startVisorRuntime, type RuntimeOptions, type VisorRuntime } from './visor-runtime.ts';
import type { FromEngineWorker, ToEngineWorker } from './worker-messages.ts';

if (parentPort === null) throw new Error('engine-worker runs as a worker thread');
const port = parentPort;
const post = (message: FromEngineWorker): void => { port.postMessage(message); };

let runtime: VisorRuntime | undefined;

async function start(options: RuntimeOptions): Promise<void> {
  try {
    runtime = await startVisorRuntime(options);
  } catch (error) {
    post({ type: 'start-failed', error: toErrorView(error) });
    return;
  }
  void runtime.ended.then((end) => { if (end.kind === 'stop-requested') post({ type: 'stop-requested' }); });
  post({ type: 'started', publicKey: runtime.publicKey, listen: runtime.listen });
}

async function runCommand(started: VisorRuntime, command: EngineCommand): Promise<CommandReply> {
  try {
    return { ok: true, value: await started.command(command) };
  } catch (error) {
    return { ok: false, ...toErrorView(error) };
  }
}

async function stop(): Promise<void> {
  await runtime?.stop();
  post({ type: 'stopped' });
  port.close();
}

function receive(message: ToEngineWorker): void {
  if (message.type === 'start') {
    void start(message.options);
    return;
  }
  if (message.type === 'stop') {
    void stop();
    return;
  }
  const started = runtime;
  if (started === undefined) return;
  switch (message.type) {
    case 'call':
      void started.pipe.invoke(message.path, message.argument).then((reply) => { post({ type: 'reply', id: message.id, reply }); });
      return;
    case 'command':
      void runCommand(started, message.command).then((reply) => { post({ type: 'command-reply', id: message.id, reply }); });
      return;
    case 'listen': {
      const { path } = message;
      started.pipe.listen(path, (payload) => { post({ type: 'notification', path, payload }); });
      return;
    }
    case 'echo': started.setEcho(message.echo); return;
    case 'notices': started.setHostNotices(message.notices); return;
    case 'carrying': started.setCarrying(message.carrying); return;
    case 'members': started.setMembers(message.members); return;
    case 'network-changed': started.networkChanged(); return;
  }
}

port.on('message', (message: ToEngineWorker) => { receive(message); });
