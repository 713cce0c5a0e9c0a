/**
 * The relay inside the app: with it Waypost works before anybody has chosen a relay, with no server and no configuration. It listens on this
 * computer only, keeps mail only for this profile and its Echo, and remembers its port, since the port is part of the links that name it.
 */
import path from 'node:path';
import { z } from 'zod';
import { WaypostError } from '../../shared/errors.ts';
import type { RelayHint } from '../engine/wire/types.ts';
import { readSmallFile, writeFileAtomically } from '../host/atomic-file.ts';
import { deriveHelperIdentity, deriveProfileKey } from '../host/identity-setup.ts';
import { createProfileDirectory, profileAt } from '../host/profile.ts';
import { startVisorHost } from '../host/visor-host.ts';
import type { RuntimeOptions, VisorRuntime } from '../host/visor-runtime.ts';

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

export class LocalRelay {
  readonly #options: LocalRelayOptions;
  readonly #portFile: string;
  #starting: Promise<RelayHint> | undefined;
  #runtime: VisorRuntime | undefined;
  #isStopped = false;

  constructor(options: LocalRelayOptions) {
    this.#options = options;
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

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#starting?.catch(() => undefined);
    await this.#runtime?.stop();
  }

  async #start(): Promise<RelayHint> {
    createProfileDirectory(profileAt(this.#options.directory));
    const remembered = await this.#rememberedPort();
    const runtime = await this.#startOn(remembered);
    this.#runtime = runtime;
    if (runtime.listen.port !== remembered) await writeFileAtomically(this.#portFile, `${JSON.stringify({ port: runtime.listen.port })}\n`);
    void runtime.ended.then((end) => {
      if (end.kind !== 'crashed' || this.#isStopped) return;
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
    const { directory, localKey, allowed, startHost = startVisorHost } = this.#options;
    const options: RuntimeOptions = {
      directory,
      identitySecret: deriveHelperIdentity(localKey, 'relay identity'),
      localKey: deriveProfileKey(localKey, 'relay storage'),
      initialName: '',
      visor: false,
      relay: { registration: { list: allowed } },
      listenHost: loopback,
      listenPort: port,
      // Nobody else's mail is here, and this computer's clock is the one that its owner lives by.
      confirmClock: true,
      notices: [],
    };
    try {
      return await startHost(options);
    } catch (error) {
      if (port !== 0 && error instanceof WaypostError && error.code === 'port-taken') return startHost({ ...options, listenPort: 0 });
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
