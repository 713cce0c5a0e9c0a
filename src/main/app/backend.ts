/**
 * Everything behind the window, put together: the profile's lock, the account, the visor in its worker, the relay inside the app, Echo, and
 * the local API. It knows no electron; the key store and the way to start a process are handed in.
 */
import type { RelayView } from '../../shared/relay-views.ts';
import { WaypostError } from '../../shared/errors.ts';
import { createClient, serveCall, type ClientPipe, type Reply } from '../../shared/transport.ts';
import { identityPublicKey } from '../engine/wire/identity.ts';
import type { RelayHint } from '../engine/wire/types.ts';
import { AccountService, type AccountVisor } from '../host/account-service.ts';
import { formatHostPort } from '../host/api/presenter.ts';
import { serveControlSocket, type ControlSocket } from '../host/control-socket.ts';
import { lockProfile, type Profile, type ProfileLock } from '../host/profile.ts';
import type { SecretSealer, VaultContents } from '../host/vault.ts';
import { startVisorHost } from '../host/visor-host.ts';
import type { VisorRuntime } from '../host/visor-runtime.ts';
import { FriendCarrier } from '../host/friend-carrier.ts';
import { EchoService, echoIdentity } from './echo.ts';
import type { HelperProcess } from './helper-types.ts';
import { LocalRelay } from '../host/local-relay.ts';

/** All of the end together: windows are gone by then, and nobody should have to kill what they closed. */
const stopTimeoutMs = 2_000;
const restartMs = 1_000;
const restartMaximumMs = 60_000;

export interface BackendOptions {
  readonly profile: Profile;
  readonly sealer: SecretSealer | undefined;
  readonly platform: string;
  readonly forkEcho: () => HelperProcess;
  /** Notifications for the windows. */
  readonly notify: (path: string, payload: unknown) => void;
  /** Somebody asked over the local API to end Waypost. */
  readonly stopRequested: () => void;
  /** Replaced in tests. */
  readonly startHost?: typeof startVisorHost;
}

interface RunningVisor extends AccountVisor {
  readonly runtime: VisorRuntime;
  readonly relay: LocalRelay;
  readonly echo: EchoService;
  readonly carrier: FriendCarrier;
}

export class Backend {
  /** What the windows call. */
  readonly pipe: Pick<ClientPipe, 'invoke'>;
  readonly #options: BackendOptions;
  readonly #account: AccountService<RunningVisor>;
  #lock: ProfileLock | undefined;
  #socket: ControlSocket | undefined;
  #running: RunningVisor | undefined;
  #isLowPower = false;
  #isStopping = false;
  /** What belonged to a visor that broke. */
  #ending: Promise<unknown> = Promise.resolve();
  /** The start of a visor that is under way, or was last. */
  #starting: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | undefined;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.#account = new AccountService({
      profile: options.profile,
      sealer: options.sealer,
      platform: options.platform,
      start: (contents, about) => {
        const starting = this.#startVisor(contents, about.name);
        this.#starting = starting;
        return starting;
      },
      changed: (view) => { options.notify('account.changed', view); },
      nowMs: () => Date.now(),
    });
    this.pipe = { invoke: (path, argument) => this.#invoke(path, argument) };
  }

  /** @throws WaypostError `profile-in-use`, or when the profile is damaged or cannot be written. */
  async start(): Promise<void> {
    this.#lock = await lockProfile(this.#options.profile);
    await this.#account.resume();
  }

  networkChanged(): void {
    this.#running?.runtime.networkChanged();
  }

  /** The machine runs on its battery, or does not any more. */
  setLowPower(isOn: boolean): void {
    this.#isLowPower = isOn;
    this.#tellPower();
  }

  #tellPower(): void { void this.#running?.runtime.command({ name: 'low-power', isOn: this.#isLowPower }).catch(() => undefined); }

  async stop(): Promise<void> {
    this.#isStopping = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, stopTimeoutMs); });
    await Promise.race([this.ended(), late]);
    clearTimeout(timer);
    this.#lock?.release();
  }

  /** Ends all there is, however long that takes: then nothing writes to the profile any more. */
  ended(): Promise<void> {
    this.#isStopping = true;
    this.#ended ??= this.#endAll();
    return this.#ended;
  }

  async #endAll(): Promise<void> {
    await Promise.allSettled([this.#endVisor(), this.#ending, this.#starting]);
    // One whose start was under way.
    await this.#endVisor();
  }

  async #endVisor(): Promise<void> {
    const { relay, echo, runtime, carrier } = this.#running ?? {};
    const socket = this.#socket;
    this.#running = undefined;
    this.#socket = undefined;
    await Promise.allSettled([socket?.close(), echo?.stop(), carrier?.stop(), runtime?.stop(), relay?.stop()]);
  }

  async #invoke(path: string, argument: unknown): Promise<Reply> {
    const group = path.split('.')[0];
    if (group === 'account') return serveCall({ account: this.#account.handlers }, path, argument);
    let visor: RunningVisor;
    try {
      visor = await this.#account.visor();
    } catch (error) {
      return { ok: false, error: error instanceof WaypostError ? { code: error.code, message: error.message } : { code: 'internal', message: 'Waypost could not be started. The log has the details.' } };
    }
    // Of a visor that broke nothing is started any more: its dead thread answers that it is not running.
    return group === 'echo' && visor === this.#running ? serveCall({ echo: visor.echo.handlers }, path, argument) : visor.runtime.pipe.invoke(path, argument);
  }

  async #startVisor(contents: VaultContents, name: string): Promise<RunningVisor> {
    const { profile, forkEcho, notify, startHost = startVisorHost } = this.#options;
    const own = identityPublicKey(contents.identitySecret);
    const runtime = await startHost({
      directory: profile.directory, identitySecret: contents.identitySecret, localKey: contents.localKey, initialName: name, visor: true, relay: undefined,
      listenHost: undefined, listenPort: 0, confirmClock: false, notices: [],
    });
    try {
      this.#socket = await serveControlSocket(profile.controlAddress, runtime.pipe);
    } catch (error) {
      await runtime.stop();
      throw error;
    }
    const client = createClient(runtime.pipe);
    const relay = new LocalRelay({ directory: profile.relayDirectory, localKey: contents.localKey, allowed: [own, identityPublicKey(echoIdentity(contents.localKey))], restarted: () => { void this.#useLocalRelay(running); running.carrier.restarted(); } });
    const carrier = new FriendCarrier({ runtime, relay, directory: profile.relayDirectory });
    const echo = new EchoService({
      directory: profile.echoDirectory,
      localKey: contents.localKey,
      fork: forkEcho,
      relay: () => relay.start(),
      addContact: async (link, as) => { await client.contacts.add({ link, name: as }); },
      changed: (view) => { runtime.setEcho(view); },
    });
    runtime.pipe.listen('state.patch', (patch) => { notify('state.patch', patch); });
    const running: RunningVisor = {
      runtime, relay, echo, carrier,
      rename: async (as) => { await runtime.command({ name: 'rename-self', as }); },
      wordsConfirmed: async () => { await runtime.command({ name: 'words-confirmed' }); },
    };
    this.#running = running;
    if (this.#isLowPower) this.#tellPower();
    void runtime.ended.then((end) => {
      if (end.kind === 'stop-requested') this.#options.stopRequested();
      else if (end.kind === 'crashed') this.#restart(running);
    });
    void this.#useLocalRelay(running).then(() => { if (this.#running === running) carrier.start(); });
    void echo.resume().catch(() => undefined);
    return running;
  }

  /** Without any relay, or with the one inside the app among them, that one runs and its present port is known to the visor. */
  async #useLocalRelay({ runtime, relay }: RunningVisor): Promise<void> {
    try {
      const { view } = await createClient(runtime.pipe).state.snapshot();
      const known = view.relays.find((candidate) => candidate.role === 'local');
      if (view.relays.length > 0 && known === undefined) return;
      const hint = await relay.start();
      if (!isSame(known, hint)) await runtime.command({ name: 'add-relay', hint, role: 'local' });
    } catch {
      // The list of relays shows that there is none; the next start tries again.
    }
  }

  /**
   * The engine's thread broke: what was confirmed is on disk, so a new one goes on from there. Only after what belonged to the old one has
   * ended: until then callers get its `not-running`, for a second relay must never open the databases of the first.
   */
  #restart(broken: RunningVisor): void {
    if (this.#isStopping) return;
    this.#running = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#ending = Promise.allSettled([socket?.close(), broken.echo.stop(), broken.carrier.stop(), broken.relay.stop()]);
    void this.#ending.then(() => {
      this.#account.visorEnded();
      this.#startAgain(restartMs);
    });
  }

  #startAgain(delayMs: number): void {
    setTimeout(() => {
      if (this.#isStopping) return;
      this.#account.visor()
        .then(async ({ runtime }) => {
          // Another numbering begins; a patch that does not fit makes every window ask for a new snapshot.
          const { sequence } = await createClient(runtime.pipe).state.snapshot();
          this.#options.notify('state.patch', { sequence, changes: [] });
        })
        .catch(() => { if (this.#running === undefined) this.#startAgain(Math.min(restartMaximumMs, delayMs * 2)); });
    }, delayMs);
  }
}

function isSame(known: RelayView | undefined, hint: RelayHint): boolean {
  return known?.publicKey === hint.publicKey && known.address === formatHostPort(hint.host, hint.port);
}
