/** The main thread's side of an engine in a worker: starts it, hands over the secrets once, and offers it as the same `VisorRuntime`. */
import type { Worker } from 'node:worker_threads';
import { WaypostError } from '../../shared/errors.ts';
import type { Reply } from '../../shared/transport.ts';
import type { CommandName, CommandReply, CommandResults, EngineCommand } from '../engine/command-types.ts';
import type { PublicKeyHex, SocketAddress } from '../engine/wire/types.ts';
import { startThread } from './thread.ts';
import type { RuntimeEnd, RuntimeOptions, VisorRuntime } from './visor-runtime.ts';
import { workerFile } from './worker-file.ts';
import type { FromEngineWorker, ToEngineWorker } from './worker-messages.ts';

/** A disk that hangs must not keep the app from ending; what was not committed was never confirmed to anybody. */
const stopTimeoutMs = 1_800;

const gone: Reply = { ok: false, error: { code: 'not-running', message: 'Waypost has stopped. Start it again.' } };

class WorkerRuntime implements VisorRuntime {
  readonly publicKey: PublicKeyHex;
  readonly listen: SocketAddress;
  readonly ended: Promise<RuntimeEnd>;
  readonly #worker: Worker;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  readonly #commands = new Map<number, (reply: CommandReply) => void>();
  readonly #listeners = new Map<string, Set<(payload: unknown) => void>>();
  readonly #exited: Promise<void>;
  readonly #end: (end: RuntimeEnd) => void;
  #nextId = 1;
  #isOver = false;
  #isStopping = false;
  #crash: string | undefined;

  constructor(worker: Worker, started: { readonly publicKey: PublicKeyHex; readonly listen: SocketAddress }) {
    this.#worker = worker;
    this.publicKey = started.publicKey;
    this.listen = started.listen;
    const ended = Promise.withResolvers<RuntimeEnd>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    worker.on('message', (message: FromEngineWorker) => { this.#receive(message); });
    worker.on('error', (error) => { this.#crash = error instanceof Error ? error.message : String(error); });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        // A thread that ends unasked is broken, also where it left no error behind.
        if (!this.#isStopping) this.#crash ??= `the thread ended with code ${String(code)}`;
        this.#over();
        resolve();
      });
    });
  }

  readonly pipe = {
    invoke: (path: string, argument: unknown): Promise<Reply> => {
      if (this.#isOver) return Promise.resolve(gone);
      const id = this.#takeId();
      return new Promise((resolve) => {
        this.#replies.set(id, resolve);
        this.#post({ type: 'call', id, path, argument });
      });
    },
    listen: (path: string, listener: (payload: unknown) => void): (() => void) => {
      const known = this.#listeners.get(path) ?? new Set();
      if (!this.#listeners.has(path)) {
        this.#listeners.set(path, known);
        if (!this.#isOver) this.#post({ type: 'listen', path });
      }
      known.add(listener);
      return () => { known.delete(listener); };
    },
  };

  command<Name extends CommandName>(command: Extract<EngineCommand, { name: Name }>): Promise<CommandResults[Name]> {
    if (this.#isOver) return Promise.reject(new WaypostError('not-running', gone.ok ? '' : gone.error.message));
    const id = this.#takeId();
    return new Promise((resolve, reject) => {
      this.#commands.set(id, (reply) => {
        // The worker answers each id with the result of the command's own name.
        if (reply.ok) resolve(reply.value as CommandResults[Name]);
        else reject(new WaypostError(reply.code, reply.message));
      });
      this.#post({ type: 'command', id, command });
    });
  }

  setEcho(echo: Parameters<VisorRuntime['setEcho']>[0]): void { this.#post({ type: 'echo', echo }); }
  setHostNotices(notices: readonly string[]): void { this.#post({ type: 'notices', notices }); }
  setCarrying(carrying: Parameters<VisorRuntime['setCarrying']>[0]): void { this.#post({ type: 'carrying', carrying }); }
  setMembers(members: readonly PublicKeyHex[]): void { this.#post({ type: 'members', members }); }
  networkChanged(): void { this.#post({ type: 'network-changed' }); }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (!this.#isOver) this.#post({ type: 'stop' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, stopTimeoutMs); });
    await Promise.race([this.#exited, late]);
    clearTimeout(timer);
    if (!this.#isOver) await this.#worker.terminate();
  }

  #takeId(): number {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  #post(message: ToEngineWorker): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  #receive(message: FromEngineWorker): void {
    switch (message.type) {
      case 'reply': this.#replies.get(message.id)?.(message.reply); this.#replies.delete(message.id); return;
      case 'command-reply': this.#commands.get(message.id)?.(message.reply); this.#commands.delete(message.id); return;
      case 'notification': for (const listener of this.#listeners.get(message.path) ?? []) listener(message.payload); return;
      case 'stop-requested': this.#end({ kind: 'stop-requested' }); return;
      case 'started': case 'start-failed': case 'stopped': return;
    }
  }

  #over(): void {
    this.#isOver = true;
    for (const settle of this.#replies.values()) settle(gone);
    for (const settle of this.#commands.values()) settle({ ok: false, code: 'not-running', message: gone.ok ? '' : gone.error.message });
    this.#replies.clear();
    this.#commands.clear();
    this.#end(this.#crash === undefined ? { kind: 'stopped' } : { kind: 'crashed', message: this.#crash });
  }
}

/** `entry` is replaced in tests. @throws WaypostError with the code that the worker failed with. */
export function startVisorHost(options: RuntimeOptions, entry: string | URL = workerFile('engine-worker')): Promise<VisorRuntime> {
  const worker = startThread(entry);
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => {
      reject(new WaypostError('internal', 'The part of Waypost that talks to the network could not be started. Reinstall Waypost.', { cause: error }));
    };
    const exited = (): void => { failed(undefined); };
    worker.once('error', failed);
    worker.once('exit', exited);
    worker.once('message', (message: FromEngineWorker) => {
      worker.off('error', failed);
      worker.off('exit', exited);
      if (message.type === 'started') {
        resolve(new WorkerRuntime(worker, message));
        return;
      }
      void worker.terminate();
      if (message.type === 'start-failed') reject(new WaypostError(message.error.code, message.error.message));
      else failed(undefined);
    });
    worker.postMessage({ type: 'start', options } satisfies ToEngineWorker);
  });
}
