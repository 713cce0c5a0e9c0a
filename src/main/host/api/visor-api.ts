/**
 * The contract as one visor serves it, except what belongs to the process around it: `account` (keys) and `echo` (the helper process).
 * Gives a `ClientPipe`, so that windows, sockets and the command line all reach it the same way.
 */
import type { Handlers } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { serveCall, type ClientPipe } from '../../../shared/transport.ts';
import type { CarryingView } from '../../../shared/relay-views.ts';
import type { EchoView } from '../../../shared/views.ts';
import type { EngineChange } from '../../engine/engine-types.ts';
import type { EngineInspection } from '../../engine/inspection-types.ts';
import type { Driver } from '../driver.ts';
import { storeError } from '../engine-store.ts';
import type { ApiContext, FileBlobs } from './api-context.ts';
import { createContactHandlers, createInviteHandlers } from './contacts.ts';
import { createFileHandlers } from './files.ts';
import { createMessageHandlers } from './messages.ts';
import { createNameHandlers } from './names.ts';
import { formatHostPort } from './presenter.ts';
import { createNetworkHandlers, createPeerHandlers, createRelayHandlers } from './relays.ts';
import { StateService } from './state.ts';

export interface VisorApiOptions {
  readonly driver: Driver;
  readonly blobs: FileBlobs;
  readonly notices: readonly string[];
  /** A client asked the visor to end; called after the answer is on its way. */
  readonly stopRequested: () => void;
  readonly monotonicMs: () => number;
  /** A handler of `path` threw what is no WaypostError. */
  readonly unexpected: (path: string, thrown: unknown) => void;
}

type VisorHandlers = Omit<Handlers, 'account' | 'echo'>;
type Listener = (payload: unknown) => void;

export class VisorApi {
  readonly pipe: ClientPipe;
  readonly #state: StateService;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #stopping = new AbortController();

  constructor(options: VisorApiOptions) {
    const { driver } = options;
    const context = createContext(driver, options.blobs, this.#stopping.signal);
    this.#state = new StateService({
      source: {
        get inspect() { return driver.inspect; },
        get storageFailure() { return driver.storageFailure; },
        query: (query) => context.query(query),
      },
      emit: (patch) => { this.#notify('state.patch', patch); },
      notices: options.notices,
    });
    const handlers: VisorHandlers = {
      state: { snapshot: () => { context.inspect(); return this.#state.snapshot(); } },
      messages: createMessageHandlers(context),
      files: createFileHandlers(context),
      names: createNameHandlers(context),
      contacts: createContactHandlers(context),
      invites: createInviteHandlers(context),
      relays: createRelayHandlers(context),
      peers: createPeerHandlers(context),
      network: createNetworkHandlers(context, () => { driver.networkChanged(); }),
      settings: { update: (settings) => context.command({ name: 'update-settings', settings: definedOnly(settings) }) },
      visor: createVisorHandlers(options),
    };
    this.pipe = {
      invoke: (path, argument) => serveCall(handlers, path, argument, (thrown) => { options.unexpected(path, thrown); }),
      listen: (path, listener) => {
        const known = this.#listeners.get(path) ?? new Set<Listener>();
        known.add(listener);
        this.#listeners.set(path, known);
        return () => { known.delete(listener); };
      },
    };
  }

  engineChanged(changes: readonly EngineChange[]): void { this.#state.engineChanged(changes); }
  engineReplaced(): void { this.#state.replaced(); }
  setEcho(echo: EchoView): void { this.#state.setEcho(echo); }
  setCarrying(carrying: CarryingView): void { this.#state.setCarrying(carrying); }
  setHostNotices(notices: readonly string[]): void { this.#state.setHostNotices(notices); }

  /** Ends what takes long, too: a file that is being sealed is not sent. */
  stop(): void {
    this.#state.stop();
    this.#stopping.abort(new WaypostError('not-running', 'Waypost has stopped. Start it again.'));
  }


  #notify(path: string, payload: unknown): void {
    for (const listener of this.#listeners.get(path) ?? []) listener(payload);
  }
}

function createContext(driver: Driver, blobs: FileBlobs, stopping: AbortSignal): ApiContext {
  return {
    blobs,
    stopping,
    command: (command) => driver.command(command),
    query: (query) => driver.store.query(query),
    inspect(): EngineInspection {
      const { inspect, storageFailure } = driver;
      if (inspect !== undefined) return inspect;
      throw storageFailure === undefined ? new WaypostError('not-running', 'Waypost is starting or stopping. Try again in a moment.') : storeError(storageFailure);
    },
  };
}

/** 1 while a relay lets no letter expire because its clock jumped. */
const expirySuspendedCounter = 'relay.expirySuspended';

/** Long enough for the answer to reach a client before its connection goes. */
const stopDelayMs = 50;

function createVisorHandlers({ driver, monotonicMs, stopRequested }: VisorApiOptions): Handlers['visor'] {
  const startedMs = monotonicMs();
  return {
    statistics() {
      const { socket } = driver;
      const udp = Object.fromEntries(Object.entries(socket?.counters ?? {}).map(([name, value]) => [`udp.${name}`, value]));
      const host = Object.fromEntries(Object.entries(driver.counters).map(([name, value]) => [`host.${name}`, value]));
      return Promise.resolve({
        counters: { ...driver.inspect?.counters, sessions: driver.inspect?.sessions ?? 0, [expirySuspendedCounter]: driver.inspect?.expirySuspended === true ? 1 : 0, ...udp, ...host, 'udp.receiveBufferBytes': socket?.receiveBufferBytes ?? 0 },
        uptimeMs: monotonicMs() - startedMs,
        processId: process.pid,
        listen: socket === undefined ? '' : formatHostPort(socket.address.host, socket.address.port),
      });
    },
    stop() {
      setTimeout(stopRequested, stopDelayMs);
      return Promise.resolve(undefined);
    },
  };
}

/** The schema allows `undefined` for a field that is not changed; to the engine such a field is absent. */
function definedOnly<T extends object>(partial: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
