/**
 * One running visor or relay: driver, store and API put together. It runs in whatever thread it is started in: the app gives it a worker
 * (`visor-host.ts`), the command line and Echo run it in their own main thread. Storage always has a thread to itself.
 */
import path from 'node:path';
import { errorFields, RingLog, type LogEntry } from '../diagnostics/ring-log.ts';
import type { ClientPipe } from '../../shared/transport.ts';
import type { CarryingView } from '../../shared/relay-views.ts';
import type { EchoView } from '../../shared/views.ts';
import type { CommandName, CommandResults, EngineCommand } from '../engine/command-types.ts';
import type { RelayPolicy } from '../engine/engine-types.ts';
import { createNetworkChecks } from '../engine/path/network-checks.ts';
import { createEngine } from '../engine/engine.ts';
import { identityPublicKey } from '../engine/wire/identity.ts';
import type { PublicKeyHex, SocketAddress } from '../engine/wire/types.ts';
import { VisorApi } from './api/visor-api.ts';
import { BlobStore } from './blobs/blob-store.ts';
import { systemClock } from './clock.ts';
import { chooseCrypto, createRandomBytes } from './crypto.ts';
import { Driver } from './driver.ts';
import { LanMulticast } from './lan-multicast.ts';
import { MachineNetwork } from './machine-network.ts';
import { TcpCarrier, type TcpListen } from './tcp/tcp-carrier.ts';
import { openEngineStore } from './open-engine-store.ts';

/** Beside the databases. */
const blobFolder = 'blobs';
const heldBlobFolder = 'held-blobs';

export interface RuntimeOptions {
  /** Folder of the databases; exists. */
  readonly directory: string;
  readonly identitySecret: Uint8Array;
  readonly localKey: Uint8Array;
  readonly initialName: string;
  readonly visor: boolean;
  readonly relay: RelayPolicy | undefined;
  /** Undefined: all addresses, IPv6 included. */
  readonly listenHost: string | undefined;
  /** 0: the system chooses. */
  readonly listenPort: number;
  /** Of a relay: port of the second socket, which answers for the first so that others learn about their network; undefined or 0: the system chooses. */
  readonly observePort?: number | undefined;
  /** Of a relay: where it takes TCP; undefined: nowhere. */
  readonly tcpListen?: TcpListen | undefined;
  readonly confirmClock: boolean;
  /** Sentences about how this profile is kept, shown as long as it runs. */
  readonly notices: readonly string[];
}

/** Why a runtime is over: somebody asked for it over the API, or its thread broke. */
export type RuntimeEnd = { readonly kind: 'stop-requested' } | { readonly kind: 'stopped' } | { readonly kind: 'crashed'; readonly message: string };

export interface VisorRuntime {
  readonly publicKey: PublicKeyHex;
  readonly listen: SocketAddress;
  readonly pipe: ClientPipe;
  /** What the process around the visor may do and the contract does not offer (local relays, confirmed words). */
  command<Name extends CommandName>(command: Extract<EngineCommand, { name: Name }>): Promise<CommandResults[Name]>;
  setEcho(echo: EchoView): void;
  setHostNotices(notices: readonly string[]): void;
  /** What this computer carries for friends. */
  setCarrying(carrying: CarryingView): void;
  /** Of a relay for listed people: who they are from now on. */
  setMembers(members: readonly PublicKeyHex[]): void;
  /** The machine woke, or the network is another one. */
  networkChanged(): void;
  stop(): Promise<void>;
  readonly ended: Promise<RuntimeEnd>;
}

/** @throws WaypostError when the port is taken or the store does not open. */
export async function startVisorRuntime(options: RuntimeOptions, onLog?: (entry: LogEntry) => void): Promise<VisorRuntime> {
  const log = new RingLog(onLog);
  const { crypto, fallbackReason } = chooseCrypto();
  // A fallback is never silent (architecture 15).
  const cryptoNotices = fallbackReason === undefined ? [] : [`Slower cryptography is in use, because ${fallbackReason}.`];
  const ended = Promise.withResolvers<RuntimeEnd>();
  const damageNotices: string[] = [];
  // Apart, so that forgetting what is held for others never takes a file of one's own.
  const blobs = await BlobStore.open({ folder: path.join(options.directory, blobFolder), tree: crypto.tree, crypto });
  const heldBlobs = await BlobStore.open({ folder: path.join(options.directory, heldBlobFolder), tree: crypto.tree, crypto });
  const store = await openEngineStore({
    directory: options.directory,
    localKey: options.localKey,
    relay: options.relay !== undefined,
    quarantined: (name, file) => {
      log.write(Date.now(), 'warn', 'database-set-aside', { store: name });
      damageNotices.push(`A damaged database was set aside as ${path.basename(file)}, and a new one was begun.`);
      showNotices(lastNotices);
    },
  });

  const random = createRandomBytes();
  const writeLog = (level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>): void => { log.write(Date.now(), level, event, fields); };
  const tcp = new TcpCarrier({ listen: options.tcpListen, directory: options.directory, connects: options.visor, log: writeLog });
  const driver = new Driver({
    createEngine,
    configuration: { crypto, random, identitySecret: options.identitySecret, initialName: options.initialName, visor: options.visor, relay: options.relay, carriesTcp: true, ...(options.visor ? { createNetworkCheck: createNetworkChecks } : {}) },
    ...(options.visor ? { network: new MachineNetwork({ clock: systemClock, random, log: writeLog }) } : {}),
    ...(options.visor && options.relay === undefined ? { lan: new LanMulticast({ log: writeLog }) } : {}),
    store,
    blobs: { 'own-blobs': blobs, 'held-blobs': heldBlobs },
    clock: systemClock,
    listen: { host: options.listenHost, port: options.listenPort },
    secondPort: options.relay === undefined ? undefined : options.observePort ?? 0,
    tcp,
    confirmClock: options.confirmClock,
    events: {
      changed: (changes) => { api.engineChanged(changes); },
      replaced: () => { api.engineReplaced(); },
      log: writeLog,
    },
  });
  let lastNotices = options.notices;
  const showNotices = (notices: readonly string[]): void => {
    lastNotices = notices;
    api.setHostNotices([...notices, ...cryptoNotices, ...damageNotices]);
  };
  const api = new VisorApi({
    driver,
    blobs,
    notices: [...options.notices, ...cryptoNotices],
    stopRequested: () => { ended.resolve({ kind: 'stop-requested' }); },
    monotonicMs: () => systemClock.now().monotonicMs,
    unexpected: (call, thrown) => { log.write(Date.now(), 'warn', 'internal-error', { call, ...errorFields(thrown) }); },
  });
  try {
    await driver.start();
  } catch (error) {
    await store.close();
    await blobs.close();
    await heldBlobs.close();
    throw error;
  }
  const { socket } = driver;
  if (socket === undefined) throw new Error('a started driver has a socket');
  if (driver.secondPort !== undefined) log.write(Date.now(), 'info', 'second-socket', { port: driver.secondPort });
  if (socket.receiveBufferRefused) log.write(Date.now(), 'info', 'receive-buffer-small', { bytes: socket.receiveBufferBytes });

  return {
    publicKey: identityPublicKey(options.identitySecret),
    listen: socket.address,
    pipe: api.pipe,
    command: (command) => driver.command(command),
    setEcho: (echo) => { api.setEcho(echo); },
    setHostNotices: showNotices,
    setCarrying: (carrying) => { api.setCarrying(carrying); },
    setMembers: (members) => { driver.setMembers(members); },
    networkChanged: () => { driver.networkChanged(); },
    async stop() {
      api.stop();
      await driver.stop();
      await blobs.close();
      await heldBlobs.close();
      ended.resolve({ kind: 'stopped' });
    },
    ended: ended.promise,
  };
}
