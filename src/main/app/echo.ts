/**
 * The `echo` group of the contract: starts the built-in second visor in a process of its own, adds it as a contact, and takes it off and on
 * line so that one can see messages wait.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import type { EchoView } from '../../shared/views.ts';
import { toHex } from '../engine/wire/bytes.ts';
import { identityPublicKey } from '../engine/wire/identity.ts';
import { formatAddress } from '../engine/wire/link.ts';
import { formatRelayHint } from '../engine/wire/relay-hint.ts';
import type { RelayHint } from '../engine/wire/types.ts';
import { readSmallFile, writeFileAtomically } from '../host/atomic-file.ts';
import { fromEchoSchema, type FromEcho, type ToEcho } from '../host/echo-messages.ts';
import { deriveHelperIdentity, deriveProfileKey } from '../host/identity-setup.ts';
import { createProfileDirectory, profileAt } from '../host/profile.ts';
import type { HelperProcess } from './helper-types.ts';

const chatPort = 1;
const startTimeoutMs = 20_000;
/** A clean stop says goodbye to its relay; one that takes longer is ended. */
const stopTimeoutMs = 1_500;
const stateFileMaximumBytes = 1_024;
const stateFileSchema = z.object({ online: z.boolean() });

export interface EchoOptions {
  readonly directory: string;
  readonly localKey: Uint8Array;
  readonly fork: () => HelperProcess;
  /** The relay that keeps its mailbox; started when it is asked for. */
  readonly relay: () => Promise<RelayHint>;
  readonly addContact: (link: string, name: string) => Promise<void>;
  readonly changed: (view: EchoView) => void;
}

export const echoIdentity = (localKey: Uint8Array): Uint8Array => deriveHelperIdentity(localKey, 'echo identity');

export class EchoService {
  readonly handlers: Handlers['echo'];
  readonly #options: EchoOptions;
  readonly #publicKey: string;
  readonly #stateFile: string;
  #view: EchoView = { state: 'absent' };
  #process: HelperProcess | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: EchoOptions) {
    this.#options = options;
    this.#publicKey = identityPublicKey(echoIdentity(options.localKey));
    this.#stateFile = path.join(options.directory, 'echo.json');
    this.handlers = {
      start: () => this.#inTurn(async () => {
        const { link } = await this.#launch();
        await options.addContact(link, 'Echo');
        await this.#remember(true);
        return { conversationId: formatAddress(this.#publicKey, chatPort) };
      }),
      setOnline: ({ online }) => this.#inTurn(async () => {
        if (!existsSync(this.#stateFile)) throw new WaypostError('not-found', 'There is no Echo yet. Start it first.');
        await this.#remember(online);
        if (online) await this.#launch();
        else await this.#end();
        return undefined;
      }),
    };
  }

  /** Whether Echo was made in this profile, and so needs the relay inside the app. */
  get exists(): boolean { return existsSync(this.#stateFile); }

  /** Brings Echo back as it was left. */
  resume(): Promise<void> {
    return this.#inTurn(async () => {
      const online = await this.#wasOnline();
      if (online === undefined) return;
      if (online) await this.#launch();
      else this.#show({ state: 'offline', publicKey: this.#publicKey });
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#end());
  }

  async #launch(): Promise<Extract<FromEcho, { type: 'ready' }>> {
    await this.#end();
    this.#show({ state: 'starting', publicKey: this.#publicKey });
    try {
      const { directory, localKey } = this.#options;
      const relay = await this.#options.relay();
      createProfileDirectory(profileAt(directory));
      const child = this.#options.fork();
      this.#process = child;
      const ready = this.#waitUntilReady(child);
      child.send({
        type: 'start', directory, identitySecret: toHex(echoIdentity(localKey)), localKey: toHex(deriveProfileKey(localKey, 'echo storage')), relayHint: formatRelayHint(relay),
      } satisfies ToEcho);
      const message = await ready;
      this.#show({ state: 'online', publicKey: this.#publicKey });
      return message;
    } catch (error) {
      this.#process?.kill();
      this.#process = undefined;
      this.#show({ state: 'offline', publicKey: this.#publicKey });
      throw error;
    }
  }

  #waitUntilReady(child: HelperProcess): Promise<Extract<FromEcho, { type: 'ready' }>> {
    return new Promise((resolve, reject) => {
      const failed = (cause?: string): void => {
        clearTimeout(timer);
        reject(new WaypostError('internal', `Echo could not be started${cause === undefined ? '' : `: ${cause}`}. Try again, or restart Waypost.`));
      };
      const timer = setTimeout(failed, startTimeoutMs);
      child.onMessage((value) => {
        const message = fromEchoSchema.safeParse(value);
        if (!message.success) return;
        if (message.data.type === 'failed') {
          failed(message.data.message);
          return;
        }
        clearTimeout(timer);
        resolve(message.data);
      });
      child.onExit(() => {
        failed();
        if (this.#process !== child) return;
        this.#process = undefined;
        this.#show({ state: 'offline', publicKey: this.#publicKey });
      });
    });
  }

  async #end(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const exited = new Promise<void>((resolve) => { child.onExit(resolve); });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, stopTimeoutMs); });
    child.send({ type: 'stop' } satisfies ToEcho);
    await Promise.race([exited, late]);
    clearTimeout(timer);
    child.kill();
    this.#show({ state: 'offline', publicKey: this.#publicKey });
  }

  #show(view: EchoView): void {
    this.#view = view;
    this.#options.changed(view);
  }

  get view(): EchoView { return this.#view; }

  async #remember(online: boolean): Promise<void> {
    await writeFileAtomically(this.#stateFile, `${JSON.stringify({ online })}\n`);
  }

  async #wasOnline(): Promise<boolean | undefined> {
    const text = await readSmallFile(this.#stateFile, stateFileMaximumBytes);
    if (text === undefined) return undefined;
    try {
      return stateFileSchema.parse(JSON.parse(text)).online;
    } catch {
      return true;
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(action, action);
    this.#turn = next.catch(() => undefined);
    return next;
  }
}
