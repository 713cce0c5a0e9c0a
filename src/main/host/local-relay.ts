/**
 * The relay beside a visor: with it Waypost works before anybody has chosen a relay, with no server and no configuration. It listens on this
 * computer only, keeps mail only for this profile and its Echo, and remembers its port, since the port is part of the links that name it.
 *
 * It is also what carries for friends (friend-carrier.ts). Then it listens on all addresses, keeps a little mail for each of them too, and makes circuits for them.
 */
import path from 'node:path';
import { z } from 'zod';
import { WaypostError } from '../../shared/errors.ts';
import type { RelayHint } from '../engine/wire/types.ts';
import { createClient } from '../../shared/transport.ts';
import type { RelayPolicy } from '../engine/engine-types.ts';
import { readSmallFile, writeFileAtomically } from './atomic-file.ts';
import { deriveHelperIdentity, deriveProfileKey } from './identity-setup.ts';
import { createProfileDirectory, profileAt } from './profile.ts';
import { startVisorHost } from './visor-host.ts';
import type { RuntimeOptions, VisorRuntime } from './visor-runtime.ts';

const loopback = '127.0.0.1';
const restartMs = 1_000;
const portFileMaximumBytes = 1_024;
const portFileSchema = z.object({ port: z.number().int().min(1).max(65_535) });

export interface LocalRelayOptions {
  readonly directory: string;
  readonly localKey: Uint8Array;
  /** Public keys that may have a mailbox here. */
  readonly allowed: readonly string[];
  /** It broke and runs again, perhaps at another port. */
  readonly restarted?: () => void;
  readonly startHost?: (options: RuntimeOptions) => Promise<VisorRuntime>;
}

/** How it carries for friends. */
export interface OpenToFriends {
  /** UDP port; undefined: the one that it has. */
  readonly port: number | undefined;
  readonly policy: Omit<RelayPolicy, 'registration'>;
}

export class LocalRelay {
  readonly #options: LocalRelayOptions;
  readonly #portFile: string;
  #starting: Promise<RelayHint> | undefined;
  #runtime: VisorRuntime | undefined;
  #isStopped = false;
  #allowed: readonly string[];
  #opened: OpenToFriends | undefined;

  constructor(options: LocalRelayOptions) {
    this.#options = options;
    this.#allowed = options.allowed;
    this.#portFile = path.join(options.directory, 'port.json');
  }

  /** Starts it once; later calls get the same hint. @throws WaypostError when it does not start; a later call tries again, but none after `stop`. */
  start(): Promise<RelayHint> {
    if (this.#isStopped) return Promise.reject(new WaypostError('not-running', 'Waypost is ending, and with it the relay inside the app.'));
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  get isOpen(): boolean { return this.#opened !== undefined; }

  /** From now on for friends too, or (undefined) no more; the one that runs ends, and another begins at the same port. @throws WaypostError as `start` */
  async open(opened: OpenToFriends | undefined): Promise<RelayHint | undefined> {
    if (JSON.stringify(opened) === JSON.stringify(this.#opened)) return opened === undefined ? undefined : this.start();
    this.#opened = opened;
    const wasWanted = this.#starting !== undefined;
    await this.#starting?.catch(() => undefined);
    this.#starting = undefined;
    const before = this.#runtime;
    this.#runtime = undefined;
    await before?.stop();
    return opened !== undefined || wasWanted ? this.start() : undefined;
  }

  /** Who may have a mailbox here, beside those it began with. */
  setMembers(members: readonly string[]): void {
    this.#allowed = [...new Set([...this.#options.allowed, ...members])];
    this.#runtime?.setMembers(this.#allowed);
  }

  /** What it counts; undefined while it does not run. */
  async counters(): Promise<Readonly<Record<string, number>> | undefined> {
    return this.#runtime === undefined ? undefined : (await createClient(this.#runtime.pipe).visor.statistics()).counters;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#starting?.catch(() => undefined);
    await this.#runtime?.stop();
  }

  async #start(): Promise<RelayHint> {
    createProfileDirectory(profileAt(this.#options.directory));
    const remembered = await this.#rememberedPort();
    const runtime = await this.#startOn(this.#opened?.port ?? remembered);
    this.#runtime = runtime;
    if (runtime.listen.port !== remembered) await writeFileAtomically(this.#portFile, `${JSON.stringify({ port: runtime.listen.port })}\n`);
    void runtime.ended.then((end) => {
      if (end.kind !== 'crashed' || this.#isStopped || this.#runtime !== runtime) return;
      this.#starting = undefined;
      this.#startAgain();
    });
    return { publicKey: runtime.publicKey, host: loopback, port: runtime.listen.port };
  }

  #startAgain(): void {
    setTimeout(() => {
      if (!this.#isStopped) this.start().then(() => { this.#options.restarted?.(); }, () => { this.#startAgain(); });
    }, restartMs);
  }

  async #startOn(port: number): Promise<VisorRuntime> {
    const { directory, localKey, startHost = startVisorHost } = this.#options;
    const opened = this.#opened;
    const options: RuntimeOptions = {
      directory,
      identitySecret: deriveHelperIdentity(localKey, 'relay identity'),
      localKey: deriveProfileKey(localKey, 'relay storage'),
      initialName: '',
      visor: false,
      relay: { registration: { list: this.#allowed }, ...opened?.policy },
      listenHost: opened === undefined ? loopback : undefined,
      listenPort: port,
      // Of others there is little mail here, and this computer's clock is the one that its owner lives by.
      confirmClock: true,
      notices: [],
    };
    try {
      return await startHost(options);
    } catch (error) {
      if (port !== 0 && opened?.port === undefined && error instanceof WaypostError && error.code === 'port-taken') return startHost({ ...options, listenPort: 0 });
      throw error;
    }
  }

  async #rememberedPort(): Promise<number> {
    try {
      return portFileSchema.parse(JSON.parse((await readSmallFile(this.#portFile, portFileMaximumBytes)) ?? '')).port;
    } catch {
      return 0;
    }
  }
}
